// Each refusal in plain words that name the rows. Exhaustive on purpose: a new refusal does not
// compile until it is explained.
import type {
  ConsentState,
  DecisionRefusal,
  Pass,
  RevocationKind,
  TaskBound,
} from '../../pdp/refusal.ts'

export const WHO: Readonly<Record<Pass, string>> = { subject: 'the subject', agent: 'the agent' }

export function because(refusal: DecisionRefusal): string {
  switch (refusal.reason) {
    case 'revoked':
      return `${REVOKED[refusal.kind]} is revoked`
    case 'tenant_inactive':
      return 'the tenant is switched off'
    case 'server_inactive':
      return 'the server is switched off, or its address may not be called'
    case 'client_unknown':
      return 'no row of `clients` speaks of this client'
    case 'client_inactive':
      return 'the client is switched off'
    case 'client_not_delegate':
      return 'the client may act for itself only (clients.acts_for_users is 0), or its issuer names no people'
    case 'agent_unknown':
      return 'no row of `agents` speaks of this agent'
    case 'agent_inactive':
      return 'the agent is switched off'
    case 'tool_unknown':
      return `no row of \`tools\` speaks of \`${refusal.tool}\``
    case 'tool_changed':
      return `\`${refusal.tool}\` was listed with another definition than the pinned one; look at it and pin it again`
    case 'tool_unverified':
      return `nobody has seen the definition of \`${refusal.tool}\` in the last ten minutes, so it may have changed`
    case 'target_unreadable':
      return refusal.pointer === null
        ? 'it names more resources than are looked up, or some that cannot be read'
        : `what stands at \`${refusal.pointer}\` is no name of its resource type`
    case 'target_of_another_tenant':
      return 'it names what another tenant of the same upstream has listed as its own'
    case 'consent_required':
      return `${CONSENT[refusal.state]} for \`${refusal.tool}\` (access ${refusal.access})`
    case 'insufficient_scope':
      return `it needs the scopes ${refusal.scopes.join(' ')}`
    case 'workload_without_scopes':
      return `it needs the scopes ${refusal.scopes.join(' ')}, and a trust domain of workloads grants none: take the scope from the server or tool, or let the workload come with an access token`
    case 'login_outdated':
      return `the issuer told a change (${refusal.topic}) after this login; another one helps`
    case 'signal_raised':
      return `the issuer told something (${refusal.topic}) for which the stream names no login that helps; see \`signal_states\``
    case 'signals_silent':
      return 'a stream with on_silence = deny was not heard for longer than its max_silence_s'
    case 'outside_authorization':
      return refusal.fault === 'unreadable'
        ? "an entry of the token's authorization_details says something that is not known here, so the token is good for no call"
        : "no entry of the token's authorization_details covers this server, tool, class of access and what it touches"
    case 'task_ambiguous':
      return 'more than one task is open for this actor, and the call does not say which it belongs to; name one, or close all but one'
    case 'task_invalid':
      return refusal.fault === 'unreadable'
        ? 'the token declares a task that cannot be read: one `mcp_task` entry with known members, beside `txn`'
        : 'the token declares a task, and its issuer may not (issuers.opens_tasks is 0)'
    case 'task_unknown':
      return `what the ${refusal.by} names is no task of this actor`
    case 'task_conflict':
      return 'the token names one task and the handle another'
    case 'task_ended':
      return `task \`${refusal.task}\` is ${refusal.how === 'closed' ? 'closed' : 'past its end'}`
    case 'task_spent':
      return `task \`${refusal.task}\` allows no further call (tasks.max_calls)`
    case 'task_required':
      return `policy \`${refusal.policy}\` would allow it for ${WHO[refusal.pass]} under ${refusal.approved ? 'an approved task' : 'a task'}`
    case 'outside_task':
      return `task \`${refusal.task}\` is open, and does not cover ${OUTSIDE[refusal.bound]}`
    case 'not_allowed':
      return `no allow counts for ${WHO[refusal.pass]}`
    case 'denied_by_policy':
      return `policy \`${refusal.policy}\` denies it for ${WHO[refusal.pass]}`
    case 'insufficient_authentication':
      return `policy \`${refusal.policy}\` would allow it for ${WHO[refusal.pass]} after ${loginOf(refusal)}`
    case 'binding_required':
      return `policy \`${refusal.policy}\` would allow it for ${WHO[refusal.pass]} with a token that is bound to a key of the client`
    case 'approval_required':
      return `a person must approve it, by ${askers(refusal).join(' and ')}`
    case 'denied_by_sequence':
      return `sequence rule \`${refusal.rule}\` holds after what was done before`
    case 'result_withheld':
      return `the call was allowed and its result is not: ${because(refusal.because)} (${refusal.because.reason})`
    case 'rate_limited':
      return 'too many calls'
    case 'session_unknown':
      return 'this actor has no MCP session of that id at this server'
    case 'session_missing':
      return 'the server has given this actor an MCP session, and the message names none'
    case 'event_unknown':
      return 'no stream of this MCP session had an event of that id'
    case 'response_unasked':
      return 'nothing that it answers was asked of this actor in this MCP session'
    case 'server_task_unknown':
      return 'this actor has made no task of that name at this server'
    case 'request_state_invalid':
      return 'the request state was not given for this very call of this actor, was altered, or is too old'
    case 'input_unreadable':
      return 'an input response is of no kind that a server can ask for'
  }
}

const askers = ({
  policies,
  rules = [],
}: Extract<DecisionRefusal, { reason: 'approval_required' }>): string[] => [
  ...policies.map((id) => `policy \`${id}\``),
  ...rules.map((id) => `sequence rule \`${id}\``),
]

const REVOKED: Readonly<Record<RevocationKind, string>> = {
  token: 'the token',
  token_session: 'the login that the token is from',
  proof_key: 'the key that the client proved to hold',
  session: "the subject's session",
  client: 'the client',
  subject: 'the subject',
  agent: 'the agent',
  server: 'the server',
  tool: 'the tool',
  issuer_key: "the issuer's key that signed the token",
  issuer: 'the issuer',
  tenant: 'the tenant',
  consent: 'the consent',
  task: 'the task',
}

const CONSENT: Readonly<Record<ConsentState, string>> = {
  missing: 'no row of `consents` of this person for this client and server stands',
  expired: "the person's consent has expired",
  withdrawn: 'the person has taken back the consent',
  outdated: 'the person consented to another definition',
}

const OUTSIDE: Readonly<Record<TaskBound, string>> = {
  tools: 'this tool',
  access: 'its class of access',
  data_classes: 'the sensitivity of what it touches',
}

/** Both at once, as the challenge asks for both. */
function loginOf({
  acrValues,
  maxAgeSeconds,
}: Extract<DecisionRefusal, { reason: 'insufficient_authentication' }>): string {
  const how = acrValues.length === 0 ? '' : ` with acr ${acrValues.join(' or ')}`
  const when = maxAgeSeconds === null ? '' : `, at most ${maxAgeSeconds} s ago`
  return `a login${how}${when}`
}
