// Pure but for base64. Whether a token that came in exchange is the one that was asked for, as far as
// it can be read: one that is no JWT says nothing, and its issuer's word counts alone.
import type { Exchange } from '../../storage/compiled-credentials.ts'
import { readClaimsSegment, type JwtParts } from './jwt.ts'
import { readAudience } from '../../authentication/claims.ts'
import { isEpochSeconds } from '../../authentication/text.ts'
import { isJsonObject, type JsonObject } from '../../mcp/value.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Told } from './answer.ts'

/** What nobody may hand back to us as something new. */
export interface Shown {
  readonly tenant: string
  readonly subject: string
  readonly client: string
  readonly agent: string | null
  readonly tokenId: string | null
  readonly issuer: string
  /** Texts of credentials that the client sent. */
  readonly texts: readonly string[]
}

/** A token that may be sent. Times are epoch milliseconds. */
export interface Obtained {
  readonly token: string
  readonly usableUntil: number
  /** After it the token is dead, whoever's word is taken. */
  readonly goneAt: number
}

/** Of a token whose issuer says nothing of its life. */
const UNTOLD_LIFETIME_S = 60
const CLOCK_SECONDS = 60

export function judgeToken(
  told: Told,
  exchange: Exchange,
  shown: Shown,
  /** Under which the giver knows the subject. */
  subjects: readonly string[],
  now: number,
): Result<Obtained, string> {
  // INVARIANT: the client's own token never leaves here as ours, whoever says that it should.
  if (shown.texts.includes(told.token)) return err('the issuer gave the same token back')
  if (exchange.scopes.length > 0 && told.scopes !== null && !within(told.scopes, exchange.scopes)) {
    return err('the scope is wider than what was asked for')
  }
  const longest = exchange.giver.maxLifetimeSeconds
  if ((told.expiresIn ?? 0) > longest) return err('it lives longer than its issuer may grant')
  const byWord = now + (told.expiresIn ?? UNTOLD_LIFETIME_S) * 1000
  const jwt = readClaimsSegment(told.token)
  if (jwt === 'unreadable') return err('it looks like a JWT and cannot be read')
  if (jwt === null) {
    const goneAt = told.expiresIn === null ? now + longest * 1000 : byWord
    return ok({ token: told.token, usableUntil: byWord, goneAt })
  }
  const problem =
    problemWith(jwt, exchange, shown, subjects, now) ??
    actorProblem(jwt.claims, exchange, shown, told.asker)
  if (problem !== null) return err(problem)
  const { exp } = jwt.claims
  const byClaim = isEpochSeconds(exp) ? exp * 1000 : byWord
  return ok({
    token: told.token,
    usableUntil: told.expiresIn === null ? byClaim : Math.min(byWord, byClaim),
    goneAt: Math.max(byWord, byClaim),
  })
}

/** INVARIANT: for this person and this upstream, and for nothing and nobody else. */
function problemWith(
  { type, claims }: JwtParts,
  exchange: Exchange,
  shown: Shown,
  subjects: readonly string[],
  now: number,
): string | null {
  const { iss, sub, aud, exp, iat, nbf, jti, cnf } = claims
  const { tenantClaim, maxLifetimeSeconds } = exchange.giver
  if (type !== 'at+jwt' && type !== 'jwt' && type !== null) return 'it is a JWT of another kind'
  if (iss !== exchange.giver.url) return '`iss` is another issuer'
  if (typeof sub !== 'string' || !subjects.includes(sub)) return '`sub` is somebody else'
  // Two tenants of one issuer may each have an alice.
  const tenant = tenantClaim === null ? undefined : claims[tenantClaim]
  if (tenant !== undefined && tenant !== shown.tenant) return '`sub` is of another tenant'
  if (jti !== undefined && iss === shown.issuer && jti === shown.tokenId) {
    return 'it is the token that was shown, written in another way'
  }
  const audience = readAudience(aud)
  if (audience === null || audience.length === 0) return '`aud` names nobody'
  if (!audience.every((one) => one === exchange.audience)) return '`aud` is wider than one upstream'
  if (!isEpochSeconds(exp) || exp * 1000 <= now) return '`exp` has passed or is no time'
  const seconds = now / 1000
  if (exp - seconds > maxLifetimeSeconds + CLOCK_SECONDS) {
    return 'it lives longer than its issuer may grant'
  }
  if (!isPast(iat, seconds) || !isPast(nbf, seconds)) return 'it is not good yet'
  // RFC 7800: bound to a key that we do not have.
  if (cnf !== undefined) return 'it is bound to a key'
  const scopes = scopesIn(claims)
  if (scopes === null) return '`scope` is not a scope'
  return exchange.scopes.length === 0 || within(scopes, exchange.scopes)
    ? null
    : 'the scope is wider than what was asked for'
}

/** `scp` is what some issuers call it, as a text or a list. null: of no form. */
function scopesIn({ scope = '', scp = '' }: JsonObject): readonly string[] | null {
  if (typeof scope !== 'string') return null
  const others = typeof scp === 'string' ? scp.split(' ') : scp
  if (!Array.isArray(others) || !others.every((one) => typeof one === 'string')) return null
  return [...scope.split(' '), ...others].filter((one) => one !== '')
}

/**
 * INVARIANT: who acts is whoever acts in the call. Some issuers name the client that holds the token, or
 * the one that asked for it; another house has names of its own, and its own issuer vouched.
 */
function actorProblem(
  { act }: JsonObject,
  { grant }: Exchange,
  { agent, client }: Shown,
  asker: string,
): string | null {
  if (act === undefined || grant === 'id-jag') return null
  const actor = isJsonObject(act) ? act['sub'] : null
  return actor === agent || actor === client || actor === asker ? null : '`act` is somebody else'
}

const isPast = (time: JsonObject[string] | undefined, seconds: number): boolean =>
  time === undefined || (isEpochSeconds(time) && time <= seconds + CLOCK_SECONDS)

const within = (scopes: readonly string[], asked: readonly string[]): boolean =>
  scopes.every((scope) => asked.includes(scope))
