// One Security Event Token (RFC 8417): who sent it, and what it says. Whom it means is asked elsewhere.
import { CLOCK_AHEAD_SECONDS, readAudience } from '../authentication/claims.ts'
import { isAlgorithm } from '../authentication/issuer.ts'
import { isSigned, readJws, typeOf, type Jws } from '../authentication/jws.ts'
import { UNKNOWN_KID_COOLDOWN_MS } from '../authentication/key-set.ts'
import type { KeySource } from '../authentication/keys.ts'
import { readSegment } from '../authentication/payload.ts'
import { isEpochSeconds, isIdentifier } from '../authentication/text.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { setRefused, type SignalRefusal } from './refusal.ts'
import type { Stream } from './stream.ts'

export interface SecurityEvent {
  readonly jti: string
  /** The event type's URI, and its payload. */
  readonly type: string
  readonly payload: JsonObject
  readonly subject: JsonObject
  /** When it happened, by the clock that `iat` of tokens is read from: epoch milliseconds. */
  readonly at: number
  /** When it was told: epoch milliseconds, never later than now. */
  readonly toldAt: number
}

/** The form alone, before anything is looked up: garbage costs no reading. */
export function readSet(text: string): Result<Jws, SignalRefusal> {
  const jws = readJws(text)
  if (!jws.ok) return setRefused('invalid_request', 'the body is not one compact JWS')
  // INVARIANT: kinds exclude each other (RFC 8725 §3.11): no access token is an event.
  return typeOf(jws.value) === 'secevent+jwt'
    ? jws
    : setRefused('invalid_request', '`typ` is not secevent+jwt')
}

/** The order is that of RFC 8417 §5: whose it is, for whom, with which key; only then what it says. */
export async function verifySet(
  jws: Jws,
  stream: Stream,
  keys: KeySource,
  now: number,
): Promise<Result<SecurityEvent, SignalRefusal>> {
  const payload = readSegment(jws.payload)
  if (!payload.ok) return setRefused('invalid_request', 'the payload is not strict JSON')
  const { iss, aud } = payload.value
  if (iss !== stream.transmitter) {
    return setRefused('invalid_issuer', '`iss` is not the transmitter of this stream')
  }
  if (readAudience(aud)?.includes(stream.audience) !== true) {
    return setRefused('invalid_audience', '`aud` does not name this receiver')
  }
  const { alg, kid } = jws.header
  // The stream's own list (RFC 8725 §3.1): a public key is never a secret of an HMAC.
  if (!isAlgorithm(alg) || !stream.keys.algorithms.includes(alg)) {
    return setRefused('invalid_key', '`alg` is not among those of the stream')
  }
  if (!isIdentifier(kid)) return setRefused('invalid_key', '`kid` is not an identifier')
  if (stream.revokedKeys.includes(kid)) return setRefused('invalid_key', '`kid` is revoked')
  const key = await keys.find(stream.keys, kid, alg)
  if (key === 'unavailable') return err({ reason: 'unavailable' })
  // What was put off comes again; what was refused never does, and its key may be one that has just
  // been published.
  if (key === 'unknown' && isJustTold(payload.value['iat'], now)) {
    return err({ reason: 'unavailable' })
  }
  if (key === 'unknown') return setRefused('invalid_key', '`kid` names no key of the transmitter')
  if (!(await isSigned(jws, key, alg))) {
    return setRefused('invalid_key', 'the signature does not verify')
  }
  return readEvent(payload.value, now)
}

/** A key that is new may be called unknown for so long: somebody made up another name just before (key-set.ts). */
const NEW_KEY_MS = 2 * UNKNOWN_KID_COOLDOWN_MS

const isJustTold = (iat: JsonValue | undefined, now: number): boolean =>
  isEpochSeconds(iat) && Math.abs(now - iat * 1000) < NEW_KEY_MS

/** SSF 1.0 §4 and §11.1: one event about one `sub_id`, and nothing that could pass for a token. */
function readEvent(payload: JsonObject, now: number): Result<SecurityEvent, SignalRefusal> {
  if (payload['sub'] !== undefined || payload['exp'] !== undefined) {
    return setRefused('invalid_request', '`sub` and `exp` have no place in an event')
  }
  const { jti, iat, events, sub_id: subject, toe } = payload
  if (!isIdentifier(jti)) return setRefused('invalid_request', '`jti` is not an identifier')
  if (!isEpochSeconds(iat)) {
    return setRefused('invalid_request', '`iat` is not whole epoch seconds')
  }
  if (!isJsonObject(events)) return setRefused('invalid_request', '`events` is not an object')
  const [only, another] = Object.entries(events)
  if (only === undefined || another !== undefined) {
    return setRefused('invalid_request', '`events` does not hold exactly one event')
  }
  const [type, event] = only
  if (type.length > MAX_TYPE_LENGTH || !isJsonObject(event)) {
    return setRefused('invalid_request', 'the event is not an object under a URI')
  }
  if (!isJsonObject(subject) || typeof subject['format'] !== 'string') {
    return setRefused('invalid_request', '`sub_id` is not a subject identifier')
  }
  const at = momentOf(event['event_timestamp'], toe, iat)
  if (at === null) return setRefused('invalid_request', 'a time is not whole epoch seconds')
  return ok({
    jti,
    type,
    payload: event,
    subject,
    at: momentBy(at, now),
    toldAt: Math.min(iat * 1000, now),
  })
}

/**
 * INVARIANT: an issuer whose clock runs ahead, as far as its tokens may (claims.ts), ends those that
 * it made before the event: both times are its own. What lies further ahead is no time, and counts as
 * now: it ends no token that has yet to be made.
 */
const momentBy = (seconds: number, now: number): number =>
  seconds * 1000 > now + CLOCK_AHEAD_SECONDS * 1000 ? now : seconds * 1000

const MAX_TYPE_LENGTH = 512

/** CAEP 1.0 §2, RFC 8417 §2.2: the event's own time, else `toe`, else when it was told. */
function momentOf(
  event: JsonValue | undefined,
  toe: JsonValue | undefined,
  iat: number,
): number | null {
  const said = event ?? toe ?? iat
  return isEpochSeconds(said) ? said : null
}
