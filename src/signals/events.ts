// Pure. What each type of event comes to, one row each (CAEP 1.0 §3, RISC 1.0 §2, SSF 1.0 §8.1).
import { isIdentifier } from '../authentication/text.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import type { SignalTopic } from '../pdp/signals.ts'
import type { Stream } from './stream.ts'

export type Effect =
  /** Tokens that were issued before the event; a login or a token that it names, for good. */
  | { readonly kind: 'end_older_tokens' }
  /** All tokens, until the issuer says that the account is open again. */
  | { readonly kind: 'account'; readonly open: boolean; readonly level: string }
  | {
      readonly kind: 'state'
      readonly topic: SignalTopic
      readonly level: string
      readonly raised: boolean
    }
  | { readonly kind: 'change_claims'; readonly claims: readonly (readonly [string, JsonValue])[] }
  /** The identifier itself no longer means whom it meant. */
  | { readonly kind: 'end_identifier' }
  | { readonly kind: 'verified' }
  | { readonly kind: 'status'; readonly status: 'enabled' | 'paused' | 'disabled' }

/** null: the payload does not conform to the event's definition. */
type EventRow = (payload: JsonObject, stream: Stream) => readonly Effect[] | null

const always =
  (...effects: readonly Effect[]): EventRow =>
  () =>
    effects

/** Told for our information: acknowledged and kept, without effect. */
const noted: EventRow = always()

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/'
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/'
const SSF = 'https://schemas.openid.net/secevent/ssf/event-type/'

const loginAgain = (level: string): Effect => ({
  kind: 'state',
  topic: 'login',
  level,
  raised: true,
})

const closed = (level: string): EventRow => always({ kind: 'account', open: false, level })

const EVENTS: ReadonlyMap<string, EventRow> = new Map<string, EventRow>([
  [`${CAEP}session-revoked`, always({ kind: 'end_older_tokens' })],
  [`${CAEP}session-established`, noted],
  [`${CAEP}session-presented`, noted],
  [`${CAEP}token-claims-change`, ({ claims }, stream) => claimsChange(claims, stream)],
  [
    `${CAEP}credential-change`,
    ({ credential_type: type, change_type: change }) =>
      isIdentifier(type) && isIdentifier(change) ? [loginAgain(change)] : null,
  ],
  [
    `${CAEP}assurance-level-change`,
    ({ current_level: level, change_direction: direction }) =>
      // Without a direction it may have fallen.
      isIdentifier(level)
        ? [{ kind: 'state', topic: 'assurance', level, raised: direction !== 'increase' }]
        : null,
  ],
  [
    `${CAEP}device-compliance-change`,
    ({ current_status: level }) =>
      isIdentifier(level)
        ? [{ kind: 'state', topic: 'device', level, raised: level !== 'compliant' }]
        : null,
  ],
  [
    `${CAEP}risk-level-change`,
    ({ current_level: level }) =>
      isIdentifier(level)
        ? [{ kind: 'state', topic: 'risk', level, raised: level !== 'LOW' }]
        : null,
  ],

  [`${RISC}account-disabled`, closed('disabled')],
  [`${RISC}account-purged`, closed('purged')],
  [`${RISC}account-enabled`, always({ kind: 'account', open: true, level: 'enabled' })],
  [`${RISC}account-credential-change-required`, always(loginAgain('change_required'))],
  [`${RISC}credential-compromise`, always({ kind: 'end_older_tokens' }, loginAgain('compromised'))],
  [`${RISC}identifier-changed`, always({ kind: 'end_older_tokens' }, { kind: 'end_identifier' })],
  [`${RISC}identifier-recycled`, always({ kind: 'end_older_tokens' }, { kind: 'end_identifier' })],
  // Deprecated by CAEP's session-revoked, and still sent.
  [`${RISC}sessions-revoked`, always({ kind: 'end_older_tokens' })],
  [`${RISC}recovery-activated`, always(loginAgain('recovery_activated'))],
  [`${RISC}recovery-information-changed`, always(loginAgain('recovery_changed'))],
  [`${RISC}opt-in`, noted],
  [`${RISC}opt-out-initiated`, noted],
  [`${RISC}opt-out-cancelled`, noted],
  [`${RISC}opt-out-effective`, noted],

  [`${SSF}verification`, always({ kind: 'verified' })],
  [
    `${SSF}stream-updated`,
    ({ status }) => {
      const known = (['enabled', 'paused', 'disabled'] as const).find((one) => one === status)
      return known === undefined ? null : [{ kind: 'status', status: known }]
    },
  ],
])

/** `unknown`: acknowledged (RFC 8935 §2.2) and kept, without effect. */
export function effectsOf(
  type: string,
  payload: JsonObject,
  stream: Stream,
): readonly Effect[] | 'unknown' | 'malformed' {
  const row = EVENTS.get(type)
  return row === undefined ? 'unknown' : (row(payload, stream) ?? 'malformed')
}

/** INVARIANT: a token of which any of these is no longer true says who or what it is no more. */
const WHAT_A_TOKEN_IS: ReadonlySet<string> = new Set([
  'iss',
  'sub',
  'aud',
  'client_id',
  'azp',
  'act',
  'may_act',
  'cnf',
  'sid',
  'jti',
  'iat',
  'nbf',
  'exp',
  'txn',
])

const MOST_CLAIMS = 32
const MAX_VALUE_LENGTH = 2_000

function claimsChange(
  claims: JsonValue | undefined,
  { tenantClaim }: Stream,
): readonly Effect[] | null {
  if (!isJsonObject(claims)) return null
  const changed = Object.entries(claims)
  const fits = changed.every(
    ([claim, value]) => isIdentifier(claim) && JSON.stringify(value).length <= MAX_VALUE_LENGTH,
  )
  if (!fits || changed.length === 0 || changed.length > MOST_CLAIMS) return null
  return changed.some(([claim]) => WHAT_A_TOKEN_IS.has(claim) || claim === tenantClaim)
    ? [{ kind: 'end_older_tokens' }]
    : [{ kind: 'change_claims', claims: changed }]
}
