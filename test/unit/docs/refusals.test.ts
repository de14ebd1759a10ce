import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { endsToken, explain } from '../../../src/pep/explanation.ts'
import { refuse } from '../../../src/pep/refuse.ts'
import type { Refusal } from '../../../src/pep/refusal.ts'

type Reason = Refusal['reason']
type Sample<R extends Reason> = Extract<Refusal, { readonly reason: R }>

/** A refusal, and what the table calls it where one reason has two rows. */
type Samples<R extends Reason> = readonly [Sample<R>, ...(readonly Sample<R>[])]

const consentRequired = (
  state: Sample<'consent_required'>['state'],
): Sample<'consent_required'> => ({
  at: 'decide',
  reason: 'consent_required',
  state,
  client: '',
  server: '',
  tool: '',
  access: 'read',
})

/** INVARIANT: a reason that is missing here does not compile, so the table cannot forget one. */
const SAMPLES: { readonly [R in Reason]: Samples<R> } = {
  host_not_allowed: [{ at: 'receive', reason: 'host_not_allowed' }],
  origin_not_allowed: [{ at: 'receive', reason: 'origin_not_allowed' }],
  method_not_allowed: [{ at: 'receive', reason: 'method_not_allowed' }],
  media_type_unsupported: [{ at: 'receive', reason: 'media_type_unsupported' }],
  encoding_unsupported: [{ at: 'receive', reason: 'encoding_unsupported' }],
  not_acceptable: [{ at: 'receive', reason: 'not_acceptable' }],
  body_too_large: [{ at: 'receive', reason: 'body_too_large', limitBytes: 1 }],
  malformed_json: [{ at: 'receive', reason: 'malformed_json', detail: '' }],
  server_unknown: [{ at: 'receive', reason: 'server_unknown' }],

  credentials_missing: [{ at: 'authenticate', reason: 'credentials_missing' }],
  credentials_malformed: [{ at: 'authenticate', reason: 'credentials_malformed', detail: '' }],
  token_invalid: [{ at: 'authenticate', reason: 'token_invalid', fault: 'expired', detail: '' }],
  issuer_unknown: [{ at: 'authenticate', reason: 'issuer_unknown' }],
  tenant_mismatch: [{ at: 'authenticate', reason: 'tenant_mismatch' }],
  issuer_unavailable: [{ at: 'authenticate', reason: 'issuer_unavailable' }],
  introspection_unavailable: [{ at: 'authenticate', reason: 'introspection_unavailable' }],
  status_list_unavailable: [{ at: 'authenticate', reason: 'status_list_unavailable' }],
  proof_invalid: [{ at: 'authenticate', reason: 'proof_invalid', fault: 'missing', detail: '' }],
  proof_nonce: [{ at: 'authenticate', reason: 'proof_nonce', nonce: 'n' }],
  workload_proof_invalid: [
    { at: 'authenticate', reason: 'workload_proof_invalid', fault: 'missing', detail: '' },
  ],

  batch: [{ at: 'understand', reason: 'batch' }],
  malformed_message: [{ at: 'understand', reason: 'malformed_message', detail: '' }],
  response_unexpected: [{ at: 'understand', reason: 'response_unexpected' }],
  version_unsupported: [
    { at: 'understand', reason: 'version_unsupported', requested: '', supported: [] },
  ],
  envelope_incomplete: [{ at: 'understand', reason: 'envelope_incomplete', missing: '' }],
  header_mismatch: [{ at: 'understand', reason: 'header_mismatch', header: '', detail: '' }],
  method_unknown: [{ at: 'understand', reason: 'method_unknown', method: '' }],
  capability_missing: [{ at: 'understand', reason: 'capability_missing', required: {} }],
  params_invalid: [{ at: 'understand', reason: 'params_invalid', detail: '' }],

  unsafe_configuration: [{ at: 'decide', reason: 'unsafe_configuration', detail: '' }],
  facts_unavailable: [{ at: 'decide', reason: 'facts_unavailable' }],
  session_unavailable: [{ at: 'decide', reason: 'session_unavailable' }],
  credential_unavailable: [{ at: 'decide', reason: 'credential_unavailable' }],
  revoked: [
    { at: 'decide', reason: 'revoked', kind: 'token' },
    { at: 'decide', reason: 'revoked', kind: 'token_session' },
    { at: 'decide', reason: 'revoked', kind: 'proof_key' },
    { at: 'decide', reason: 'revoked', kind: 'issuer_key' },
    { at: 'decide', reason: 'revoked', kind: 'issuer' },
    { at: 'decide', reason: 'revoked', kind: 'session' },
    { at: 'decide', reason: 'revoked', kind: 'client' },
    { at: 'decide', reason: 'revoked', kind: 'subject' },
    { at: 'decide', reason: 'revoked', kind: 'agent' },
    { at: 'decide', reason: 'revoked', kind: 'server' },
    { at: 'decide', reason: 'revoked', kind: 'tool' },
    { at: 'decide', reason: 'revoked', kind: 'tenant' },
    { at: 'decide', reason: 'revoked', kind: 'consent' },
    { at: 'decide', reason: 'revoked', kind: 'task' },
    { at: 'decide', reason: 'revoked', kind: 'subject', olderTokens: true },
  ],
  tenant_inactive: [{ at: 'decide', reason: 'tenant_inactive' }],
  server_inactive: [{ at: 'decide', reason: 'server_inactive' }],
  client_unknown: [{ at: 'decide', reason: 'client_unknown' }],
  client_inactive: [{ at: 'decide', reason: 'client_inactive' }],
  client_not_delegate: [{ at: 'decide', reason: 'client_not_delegate' }],
  agent_unknown: [{ at: 'decide', reason: 'agent_unknown' }],
  agent_inactive: [{ at: 'decide', reason: 'agent_inactive' }],
  tool_unknown: [{ at: 'decide', reason: 'tool_unknown', tool: '' }],
  tool_changed: [{ at: 'decide', reason: 'tool_changed', tool: '' }],
  tool_unverified: [{ at: 'decide', reason: 'tool_unverified', tool: '' }],
  target_unreadable: [
    { at: 'decide', reason: 'target_unreadable', pointer: '/to' },
    { at: 'decide', reason: 'target_unreadable', pointer: null },
  ],
  target_of_another_tenant: [{ at: 'decide', reason: 'target_of_another_tenant' }],
  consent_required: [
    consentRequired('missing'),
    consentRequired('expired'),
    consentRequired('withdrawn'),
    consentRequired('outdated'),
  ],
  server_task_unknown: [{ at: 'decide', reason: 'server_task_unknown' }],
  request_state_invalid: [{ at: 'decide', reason: 'request_state_invalid' }],
  input_unreadable: [{ at: 'decide', reason: 'input_unreadable' }],
  insufficient_scope: [{ at: 'decide', reason: 'insufficient_scope', scopes: [] }],
  workload_without_scopes: [{ at: 'decide', reason: 'workload_without_scopes', scopes: [] }],
  login_outdated: [
    {
      at: 'decide',
      reason: 'login_outdated',
      topic: 'login',
      acrValues: [],
      maxAgeSeconds: 0,
      scopes: [],
    },
  ],
  signal_raised: [{ at: 'decide', reason: 'signal_raised', topic: 'risk' }],
  signals_silent: [{ at: 'decide', reason: 'signals_silent' }],
  outside_authorization: [
    { at: 'decide', reason: 'outside_authorization', fault: 'not_covered' },
    { at: 'decide', reason: 'outside_authorization', fault: 'unreadable' },
  ],
  task_invalid: [
    { at: 'decide', reason: 'task_invalid', fault: 'unreadable' },
    { at: 'decide', reason: 'task_invalid', fault: 'issuer_opens_none' },
  ],
  task_unknown: [
    { at: 'decide', reason: 'task_unknown', by: 'token' },
    { at: 'decide', reason: 'task_unknown', by: 'handle' },
  ],
  task_conflict: [{ at: 'decide', reason: 'task_conflict' }],
  task_ambiguous: [{ at: 'decide', reason: 'task_ambiguous' }],
  task_ended: [
    { at: 'decide', reason: 'task_ended', task: '', how: 'closed' },
    { at: 'decide', reason: 'task_ended', task: '', how: 'expired' },
  ],
  outside_task: [
    { at: 'decide', reason: 'outside_task', task: '', bound: 'tools' },
    { at: 'decide', reason: 'outside_task', task: '', bound: 'access' },
    { at: 'decide', reason: 'outside_task', task: '', bound: 'data_classes' },
  ],
  task_required: [
    { at: 'decide', reason: 'task_required', pass: 'subject', policy: '', approved: false },
    { at: 'decide', reason: 'task_required', pass: 'agent', policy: '', approved: true },
  ],
  task_spent: [{ at: 'decide', reason: 'task_spent', task: '' }],
  not_allowed: [
    { at: 'decide', reason: 'not_allowed', pass: 'subject' },
    { at: 'decide', reason: 'not_allowed', pass: 'agent' },
  ],
  denied_by_policy: [{ at: 'decide', reason: 'denied_by_policy', pass: 'subject', policy: '' }],
  insufficient_authentication: [
    {
      at: 'decide',
      reason: 'insufficient_authentication',
      pass: 'subject',
      policy: '',
      acrValues: ['phr'],
      maxAgeSeconds: 300,
      scopes: [],
    },
  ],
  binding_required: [{ at: 'decide', reason: 'binding_required', pass: 'subject', policy: '' }],
  approval_required: [{ at: 'decide', reason: 'approval_required', policies: [''] }],
  result_withheld: [
    {
      at: 'decide',
      reason: 'result_withheld',
      because: { at: 'decide', reason: 'not_allowed', pass: 'subject' },
    },
  ],
  denied_by_sequence: [{ at: 'decide', reason: 'denied_by_sequence', rule: '', ruleReason: '' }],
  rate_limited: [{ at: 'decide', reason: 'rate_limited', retryAfterSeconds: 1 }],
  session_unknown: [{ at: 'decide', reason: 'session_unknown' }],
  session_missing: [{ at: 'decide', reason: 'session_missing' }],
  event_unknown: [{ at: 'decide', reason: 'event_unknown' }],
  response_unasked: [{ at: 'decide', reason: 'response_unasked' }],

  upstream_unreachable: [{ at: 'forward', reason: 'upstream_unreachable' }],
  upstream_timeout: [{ at: 'forward', reason: 'upstream_timeout' }],
  upstream_refused: [{ at: 'forward', reason: 'upstream_refused', status: 401 }],
  upstream_malformed: [{ at: 'forward', reason: 'upstream_malformed', detail: '' }],
  stream_declined: [{ at: 'forward', reason: 'stream_declined', status: 409 }],
  token_ended: [{ at: 'forward', reason: 'token_ended' }],
  result_undecided: [{ at: 'forward', reason: 'result_undecided' }],
}

/** A revoked token, and what else only another token helps with, looks to the client as an invalid token does. */
const nameOf = (refusal: Refusal): string =>
  refusal.reason === 'revoked' && endsToken(refusal)
    ? '`revoked`: token, token_session, proof_key, issuer_key, issuer'
    : `\`${refusal.reason}\``

/** What a client that called a tool receives. */
async function formOf(refusal: Refusal): Promise<string> {
  const response = refuse(refusal, {
    scheme: null,
    resourceMetadata: 'https://mcp.example.com/.well-known/oauth-protected-resource/demo/mcp',
    id: 1,
    era: 'modern',
    toolCall: true,
    decision: null,
    scopes: [],
  })
  const body = (await response.json()) as { readonly result?: unknown }
  if (response.headers.has('www-authenticate')) return 'challenge'
  return body.result === undefined ? 'error' : 'tool result'
}

async function rowOf(refusal: Refusal): Promise<string> {
  const { code, status, rpcCode, help } = explain(refusal)
  const { legacy, modern } = status
  return [
    nameOf(refusal),
    refusal.at,
    `\`${code}\``,
    legacy === modern ? `${modern}` : `${legacy}, modern ${modern}`,
    `${rpcCode}`,
    await formOf(refusal),
    help.kind === 'retry_later' ? 'yes' : 'no',
    `\`${help.kind}\``,
  ].join(' | ')
}

/** The first eight cells of each row of the table of reasons; the ninth is for people. */
function documented(): string[] {
  const text = readFileSync('docs/refusals.md', 'utf8')
  const [, table = ''] = text.split('## Every reason\n')
  return (table.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, 9)
        .map((cell) => cell.trim())
        .join(' | '),
    )
}

describe('docs/refusals.md', () => {
  it('says of every reason what the code says, and of nothing else', async () => {
    const refusals: Refusal[] = Object.values(SAMPLES).flat()
    const rows = new Set(await Promise.all(refusals.map(rowOf)))
    expect(documented().toSorted()).toEqual([...rows].toSorted())
  })

  it('explains each of them to people', () => {
    const text = readFileSync('docs/refusals.md', 'utf8')
    for (const line of text.split('\n').filter((row) => row.startsWith('| `'))) {
      expect(line.split('|').at(-2)?.trim(), line).not.toBe('')
    }
  })
})
