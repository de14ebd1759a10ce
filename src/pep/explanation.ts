import type { Era } from '../mcp/refusal.ts'
import { consentPath } from '../page-addresses.ts'
import type { ConsentState, RevocationKind } from '../pdp/refusal.ts'
import type { Refusal } from './refusal.ts'
import { RPC, type Explanation, type Help } from './explained.ts'
import { explainTask, isOfTask } from './task-explanation.ts'

/**
 * Exhaustive on purpose, without a default: a new refusal does not compile until it is explained.
 * `origin` is ours, for addresses; without it they are paths.
 */
export function explain(refusal: Refusal, origin = ''): Explanation {
  if (isOfTask(refusal)) return denied(refusal.reason, ...explainTask(refusal))
  switch (refusal.reason) {
    case 'host_not_allowed':
      return form(403, refusal.reason, 'this Host is not served here')
    case 'origin_not_allowed':
      return form(403, refusal.reason, 'this Origin may not call; an operator can allow it')
    case 'server_unknown':
      return {
        ...form(404, refusal.reason, 'no MCP server of that name is served here'),
        rpcCode: RPC.serverUnknown,
      }
    case 'method_not_allowed':
      return form(405, refusal.reason, 'this HTTP method is not served at this MCP endpoint')
    case 'media_type_unsupported':
      return form(415, refusal.reason, 'send `Content-Type: application/json`')
    case 'encoding_unsupported':
      return form(415, refusal.reason, 'send the body without a Content-Encoding')
    case 'not_acceptable':
      return form(406, refusal.reason, 'accept `application/json` and `text/event-stream`')
    case 'body_too_large':
      return form(413, refusal.reason, `the body is larger than ${refusal.limitBytes} bytes`)
    case 'malformed_json':
      return {
        ...form(400, refusal.reason, `the body is not strict JSON: ${refusal.detail}`),
        rpcCode: RPC.parse,
      }
    case 'batch':
      return form(400, refusal.reason, 'batches are not served: send one message per request')
    case 'malformed_message':
      return form(400, refusal.reason, `not a JSON-RPC message: ${refusal.detail}`)
    case 'response_unexpected':
      return form(400, refusal.reason, 'a response was sent where nothing was asked')
    case 'header_mismatch':
      return {
        ...form(400, refusal.reason, `header \`${refusal.header}\`: ${refusal.detail}`),
        rpcCode: RPC.headerMismatch,
      }
    case 'version_unsupported':
      return {
        ...form(400, refusal.reason, 'this protocol version is not served here'),
        rpcCode: RPC.versionUnsupported,
        data: { supported: refusal.supported, requested: refusal.requested },
      }
    case 'envelope_incomplete':
      return {
        ...form(400, refusal.reason, `\`_meta\` lacks \`${refusal.missing}\``),
        rpcCode: RPC.invalidParams,
      }
    case 'method_unknown':
      return {
        ...form(404, refusal.reason, 'this method is not served here'),
        status: { legacy: 200, modern: 404 },
        rpcCode: RPC.methodNotFound,
      }
    case 'params_invalid':
      return { ...form(200, refusal.reason, refusal.detail), rpcCode: RPC.invalidParams }

    case 'capability_missing':
      return {
        ...form(400, refusal.reason, 'the request does not declare a capability that it needs'),
        rpcCode: RPC.capabilityMissing,
        data: { requiredCapabilities: refusal.required },
      }

    case 'credentials_missing':
      return authentication(
        401,
        refusal.reason,
        'send an access token as `Authorization: Bearer` or `DPoP`',
      )
    case 'credentials_malformed':
      return authentication(400, refusal.reason, `the credentials are malformed: ${refusal.detail}`)
    case 'token_invalid':
    case 'issuer_unknown':
    case 'tenant_mismatch':
      // One answer for all of them: which check failed is for the operator, not for a prober.
      return authentication(401, 'token_invalid', 'the access token is not valid for this server')
    case 'issuer_unavailable':
      return unavailable(refusal.reason, "the issuer's keys cannot be read now")
    case 'introspection_unavailable':
    case 'status_list_unavailable':
      return unavailable(refusal.reason, 'the issuer does not say now whether the token holds')
    case 'proof_invalid':
      // One answer, as for tokens.
      return proof(401, refusal.reason, 'the DPoP proof is not valid for this request and token')
    case 'proof_nonce':
      return proof(401, refusal.reason, 'the DPoP proof must carry the nonce of this response')
    case 'workload_proof_invalid':
      return proof(400, refusal.reason, 'the workload token or its proof is not valid here')

    case 'revoked':
      return endsToken(refusal)
        ? authentication(401, 'token_invalid', 'the access token is not valid for this server')
        : denied('revoked', 'access was revoked', { kind: 'ask_an_administrator' })
    case 'tenant_inactive':
    case 'server_inactive':
      return denied('inactive', 'this server is switched off', { kind: 'ask_an_administrator' })
    case 'client_unknown':
    case 'client_inactive':
      return denied('client_not_registered', 'this client may not act here', {
        kind: 'ask_an_administrator',
      })
    case 'client_not_delegate':
      return denied(refusal.reason, 'this client may act for itself only, not for a person', {
        kind: 'ask_an_administrator',
      })
    case 'agent_unknown':
    case 'agent_inactive':
      return denied('agent_not_registered', 'this agent may not act here', {
        kind: 'ask_an_administrator',
      })
    case 'tool_unknown':
      return {
        ...denied(refusal.reason, 'no such tool', { kind: 'do_not_retry' }),
        rpcCode: RPC.invalidParams,
        shownToModel: false,
      }
    case 'server_task_unknown':
      return ofEarlier(refusal.reason, 'no such task')
    case 'request_state_invalid':
      return ofEarlier(
        refusal.reason,
        'the request state was not given for this call, or is too old',
      )
    case 'input_unreadable':
      return ofEarlier(refusal.reason, 'an input response answers nothing that can be asked for')
    case 'insufficient_scope':
      return {
        ...denied(refusal.reason, 'the access token lacks a scope for this', {
          kind: 'obtain_scopes',
          scopes: refusal.scopes,
        }),
        status: both(403),
        shownToModel: false,
      }
    case 'workload_without_scopes':
      // No challenge: a client would look for a login that such a caller does not have.
      return denied(
        refusal.reason,
        "this needs a scope, and a workload's own document carries none",
        { kind: 'ask_an_administrator' },
      )
    case 'login_outdated':
      return {
        ...authentication(401, refusal.reason, 'something changed since the login; log in again'),
        help: {
          kind: 'log_in_again',
          acrValues: refusal.acrValues,
          maxAgeSeconds: refusal.maxAgeSeconds,
        },
      }
    case 'signal_raised':
      return denied(refusal.reason, 'the issuer does not vouch for this device or person now', {
        kind: 'ask_an_administrator',
      })
    case 'signals_silent':
      return unavailable(refusal.reason, 'whether this token still holds cannot be told now')
    case 'outside_authorization':
      // One answer for both faults: what exactly was granted is in the record.
      return denied(refusal.reason, 'the access token was granted for less than this call', {
        kind: 'obtain_a_token',
      })
    case 'tool_changed':
      return denied(refusal.reason, 'the tool is not what it was when it was approved for use', {
        kind: 'ask_an_administrator',
      })
    case 'tool_unverified':
      return {
        ...denied(refusal.reason, "the tool's definition cannot be verified now", RETRY_LATER),
        status: both(503),
        rpcCode: RPC.unavailable,
        shownToModel: false,
      }
    case 'target_unreadable':
      return denied(
        refusal.reason,
        refusal.pointer === null
          ? 'the arguments name more than can be checked'
          : `the argument at \`${refusal.pointer}\` does not name one thing in one way`,
        { kind: 'correct_the_request' },
      )
    case 'target_of_another_tenant':
      // Said like any other no: whether another tenant's thing exists is not confirmed.
      return denied('not_allowed', NOT_ALLOWED, { kind: 'ask_an_administrator' })
    case 'consent_required':
      return denied(refusal.reason, CONSENT[refusal.state], {
        kind: 'obtain_consent',
        client: refusal.client,
        tool: refusal.tool,
        access: refusal.access,
        page: `${origin}${consentPath(refusal.server, refusal)}`,
      })
    case 'insufficient_authentication':
      return {
        ...authentication(401, refusal.reason, 'this needs a stronger or more recent login'),
        help: {
          kind: 'log_in_again',
          acrValues: refusal.acrValues,
          maxAgeSeconds: refusal.maxAgeSeconds,
        },
      }
    case 'binding_required':
      return denied(refusal.reason, 'this needs a token that is bound to a key of the client', {
        kind: 'obtain_a_token',
      })
    case 'approval_required':
      return denied(refusal.reason, 'a person must approve this call', {
        kind: 'ask_for_approval',
      })
    case 'result_withheld':
      return denied(refusal.reason, 'the result holds what this caller may not see', {
        kind: 'do_not_retry',
      })
    case 'not_allowed':
      return denied(
        refusal.reason,
        refusal.pass === 'agent' ? 'no policy allows this to the agent that acts' : NOT_ALLOWED,
        { kind: 'ask_an_administrator' },
      )
    case 'denied_by_policy':
      return denied(refusal.reason, 'a policy forbids this', { kind: 'do_not_retry' })
    case 'denied_by_sequence':
      return denied(refusal.reason, 'not after what was done before', { kind: 'do_not_retry' })
    case 'rate_limited':
      return {
        ...denied(refusal.reason, 'too many calls', {
          kind: 'retry_later',
          afterSeconds: refusal.retryAfterSeconds,
        }),
        status: both(429),
        rpcCode: RPC.tooMany,
        shownToModel: false,
      }

    case 'session_unknown':
      // The status that makes a client begin anew (MCP 2025-11-25, basic/transports).
      return ofSession(404, refusal.reason, 'this MCP session has ended: initialize again')
    case 'session_missing':
      return ofSession(400, refusal.reason, 'send the `Mcp-Session-Id` that `initialize` gave')
    case 'event_unknown':
      return ofSession(400, refusal.reason, '`Last-Event-ID` names no event of this MCP session')
    case 'response_unasked':
      return ofSession(400, refusal.reason, 'the response answers nothing that was asked')

    case 'unsafe_configuration':
      // Waiting does not mend a configuration, so nothing invites to try again.
      return {
        ...unavailable(refusal.reason, 'this deployment is not safe to serve; see /healthz'),
        help: { kind: 'ask_an_administrator' },
      }
    case 'facts_unavailable':
    case 'session_unavailable':
      return unavailable(refusal.reason, 'this call cannot be decided now')
    case 'credential_unavailable':
      return unavailable(refusal.reason, 'what this call has to show its server cannot be had now')

    case 'upstream_unreachable':
      return upstream(502, refusal.reason, 'the MCP server cannot be reached')
    case 'upstream_timeout':
      return upstream(
        504,
        refusal.reason,
        'the MCP server did not answer in time; it may have acted',
      )
    case 'upstream_refused':
      return upstream(502, refusal.reason, 'the MCP server did not accept the gateway')
    case 'stream_declined':
      return upstream(refusal.status, refusal.reason, 'the MCP server offers no such stream now')
    case 'token_ended':
      return upstream(
        502,
        refusal.reason,
        'the call was made, and the access token ended before its result came',
      )
    case 'result_undecided':
      return upstream(
        502,
        refusal.reason,
        'the call was made, and whether its result may be shown cannot be decided now',
      )
    case 'upstream_malformed':
      return upstream(502, refusal.reason, 'the MCP server sent what is not passed on')
  }
}

/** Revoked so that another token would help: the client is asked for one, as for a lapsed token. */
export const endsToken = ({
  kind,
  olderTokens,
}: Extract<Refusal, { reason: 'revoked' }>): boolean => olderTokens === true || ENDS_TOKEN.has(kind)

const ENDS_TOKEN: ReadonlySet<RevocationKind> = new Set([
  'token',
  'token_session',
  'proof_key',
  'issuer_key',
  'issuer',
])

const NOT_ALLOWED = 'no policy allows this'

const CONSENT: Readonly<Record<ConsentState, string>> = {
  missing: 'the person has not consented to this client doing this',
  expired: "the person's consent has expired",
  withdrawn: 'the person has withdrawn their consent',
  outdated: 'the tool has changed since the person consented to it',
}

const both = (status: number): Record<Era, number> => ({ legacy: status, modern: status })

const form = (status: number, code: string, sentence: string): Explanation => ({
  code,
  sentence,
  help: { kind: 'correct_the_request' },
  status: both(status),
  rpcCode: RPC.invalidRequest,
  data: {},
  shownToModel: false,
})

const authentication = (status: number, code: string, sentence: string): Explanation => ({
  ...form(status, code, sentence),
  help: { kind: 'obtain_a_token' },
  rpcCode: RPC.unauthenticated,
})

/** The token may be good: another one would not help, a right proof does. */
const proof = (status: number, code: string, sentence: string): Explanation => ({
  ...authentication(status, code, sentence),
  help: { kind: 'correct_the_request' },
})

const denied = (code: string, sentence: string, help: Help): Explanation => ({
  code,
  sentence,
  help,
  status: both(200),
  rpcCode: RPC.denied,
  data: {},
  shownToModel: true,
})

/** It goes back to something earlier that is not there: a program's mistake, not the model's. */
const ofEarlier = (code: string, sentence: string): Explanation => ({
  ...denied(code, sentence, { kind: 'correct_the_request' }),
  rpcCode: RPC.invalidParams,
  shownToModel: false,
})

/** A program's mistake; the model that called a tool cannot mend it. */
const ofSession = (status: number, code: string, sentence: string): Explanation => ({
  ...form(status, code, sentence),
  rpcCode: RPC.notInSession,
})

const UNAVAILABLE_RETRY_SECONDS = 2

const RETRY_LATER: Help = { kind: 'retry_later', afterSeconds: UNAVAILABLE_RETRY_SECONDS }

const unavailable = (code: string, sentence: string): Explanation => ({
  ...form(503, code, sentence),
  help: RETRY_LATER,
  rpcCode: RPC.unavailable,
})

const upstream = (status: number, code: string, sentence: string): Explanation => ({
  ...form(status, code, sentence),
  help: { kind: 'do_not_retry' },
  rpcCode: RPC.upstream,
})
