// Whether a token that we signed still holds (RFC 7662), for the server that was shown it.
import { SignJWT } from 'jose'
import { isSigned, readJws, typeOf } from '../authentication/jws.ts'
import { readSegment } from '../authentication/payload.ts'
import { isEpochSeconds, isIdentifier } from '../authentication/text.ts'
import { readBounded } from '../bounded-body.ts'
import { isOurs } from '../config.ts'
import type { JsonObject } from '../mcp/value.ts'
import type { Doors } from '../pep/doors.ts'
import { err, ok, type Result } from '../result.ts'
import { sha256 } from '../sha256.ts'
import type { CompiledServer, CompiledTenant } from '../storage/compiled.ts'
import { CONTEXT_VERSION, standingOf, type CallContext } from '../upstream/credentials/context.ts'
import { endsTask } from '../upstream/credentials/ending-word.ts'
import type { PolicyStore } from '../storage/policy-store.ts'
import type { SealingKeys, SigningKeys } from '../upstream/credentials/own-keys.ts'
import { unseal } from '../upstream/credentials/sealed.ts'

const MAX_BODY_BYTES = 64 * 1024
const FORM = 'application/x-www-form-urlencoded'
const SIGNED_ANSWER = 'application/token-introspection+jwt'

const unavailable = (): Response =>
  answerError(503, 'temporarily_unavailable', { 'retry-after': '2' })

const unknownCaller = (): Response =>
  answerError(401, 'invalid_client', { 'www-authenticate': 'Basic realm="introspect"' })

/**
 * INVARIANT: `active` means that everything which let the call through holds now, by a reading that
 * began after the question arrived. To a caller whose token it is not, every token is inactive.
 * Sallyport's own words need nothing but the server: it asks for the tools, or it ends a task.
 */
export async function introspectResponse(request: Request, doors: Doors): Promise<Response> {
  const { config } = doors
  if (!isOurs(request, config)) return new Response('not served here', { status: 403 })
  if (request.method !== 'POST') return answerError(405, 'invalid_request', { allow: 'POST' })
  if (config.unsafe !== null) return unavailable()
  const token = await readForm(request)
  if (!token.ok) return answerError(400, 'invalid_request')
  const caller = await callerOf(request.headers.get('authorization'), doors)
  if (caller === 'unavailable') return unavailable()
  if (caller === 'unknown') return unknownCaller()
  const told = await tell(token.value, caller, doors)
  if (told === 'unavailable') return unavailable()
  if (told === 'unknown') return unknownCaller()
  return answer(told, request, caller, doors)
}

const answerError = (status: number, error: string, headers: Record<string, string> = {}) =>
  Response.json({ error }, { status, headers: { 'cache-control': 'no-store', ...headers } })

/** The one `token` of a form; a second one would be for another reader (RFC 6749 §3.1). */
async function readForm(request: Request): Promise<Result<string, 'malformed'>> {
  const type = (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase()
  const bytes = type === FORM ? await readBounded(request.body, MAX_BODY_BYTES) : null
  if (bytes === null) return err('malformed')
  const [token, another] = new URLSearchParams(new TextDecoder().decode(bytes)).getAll('token')
  return token === undefined || another !== undefined ? err('malformed') : ok(token)
}

interface Asker {
  readonly server: CompiledServer
  readonly tenant: CompiledTenant
  /** The same caller by other rows; null: no caller any more. */
  readonly by: (rows: CompiledTenant) => CompiledServer | null
}

/** HTTP Basic: the server's name and the password whose digest its row has (RFC 7662 §2.1). */
async function callerOf(
  authorization: string | null,
  { policies }: Doors,
): Promise<Asker | 'unknown' | 'unavailable'> {
  const basic = readBasic(authorization)
  if (basic === null) return 'unknown'
  const known = await policies.lastKnown(basic.name)
  if (!known.ok) return 'unavailable'
  if (known.value === null) return 'unknown'
  const digest = await sha256(basic.password)
  const by = (rows: CompiledTenant): CompiledServer | null => {
    const server = rows.servers.get(basic.name)
    const isHis = server !== undefined && sameDigest(server.introspectionDigest, digest)
    return isHis ? server : null
  }
  const server = by(known.value)
  if (server !== null) return { server, tenant: known.value, by }
  if (!policies.isOld(known.value)) return 'unknown'
  // A password that was changed a moment ago: rows that are old may not say no by themselves.
  const rows = await policies.refreshed(basic.name, known.value)
  if (rows === 'unknown') return 'unavailable'
  const again = rows === 'same' ? null : by(rows)
  return again === null || rows === 'same' ? 'unknown' : { server: again, tenant: rows, by }
}

function readBasic(authorization: string | null) {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '') ?? []
  try {
    const text = atob(encoded ?? '')
    const at = text.indexOf(':')
    if (at < 1) return null
    // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
    const [name, password] = [text.slice(0, at), text.slice(at + 1)].map((part) =>
      decodeURIComponent(part.replaceAll('+', ' ')),
    )
    return name === undefined || password === undefined ? null : { name, password }
  } catch {
    return null
  }
}

/** Of digests: what can be learnt from how long it takes is a digest of a guess. */
function sameDigest(known: string | null, given: string): boolean {
  if (known?.length !== given.length) return false
  let difference = 0
  for (let at = 0; at < known.length; at += 1) {
    difference |= known.charCodeAt(at) ^ given.charCodeAt(at)
  }
  return difference === 0
}

const INACTIVE: JsonObject = { active: false }

/** What is said of a token that holds: its own claims, without the one that is for us alone. */
async function tell(
  token: string,
  asker: Asker,
  doors: Doors,
): Promise<JsonObject | 'unavailable' | 'unknown'> {
  const { credentials, policies } = doors
  const [signing, sealing] = await Promise.all([credentials.signing(), credentials.sealing()])
  if (!signing.ok || !sealing.ok) return 'unavailable'
  const claims = await verify(token, signing.value, doors)
  if (claims === null) return INACTIVE
  const rows = await rowsFor(claims, asker, sealing.value, policies)
  if (rows === null) return INACTIVE
  if (rows === 'unavailable') return rows
  // INVARIANT: a yes is for whoever is a caller by current rows, and about a token for that caller.
  const server = asker.by(rows)
  if (server === null) return 'unknown'
  const { aud, exp, sealed: _, ...said } = claims
  if (server.credential.kind !== 'signed' || aud !== server.credential.audience) return INACTIVE
  // Read after the facts: what ended while they were read has ended.
  if (Number(exp) * 1000 <= Date.now()) return INACTIVE
  return { active: true, token_type: 'Bearer', aud, exp: exp ?? null, ...said }
}

/** Current rows, if by them everything that let the call through still holds; null: it does not. */
async function rowsFor(
  claims: JsonObject,
  { server, tenant }: Asker,
  keys: SealingKeys,
  policies: PolicyStore,
): Promise<CompiledTenant | null | 'unavailable'> {
  const { sealed, sub, iss } = claims
  const { name } = server.facts
  // In nobody's name: nothing but the server has to hold.
  const asksItself = sealed === undefined && sub === iss && claims['tenant'] === tenant.tenant
  // A server that is switched off may still have something to end.
  const ends = await endsTask(claims, { tenant: tenant.tenant, server: name }, keys)
  if (asksItself || ends) {
    const current = await policies.current(name)
    if (!current.ok) return 'unavailable'
    if (current.value?.tenant !== tenant.tenant) return null
    return ends || current.value.servers.get(name)?.facts.active === true ? current.value : null
  }
  const text = typeof sealed === 'string' ? await unseal('context', sealed, keys) : null
  if (text === null) return null
  const context = JSON.parse(text) as CallContext
  if (
    context.version !== CONTEXT_VERSION ||
    context.server !== name ||
    context.actor.tenant !== tenant.tenant
  ) {
    return null
  }
  const standing = await standingOf(context, policies)
  if (standing.kind === 'unknown') return 'unavailable'
  return standing.kind === 'ended' ? null : standing.compiled
}

/** null: not signed by us as a token for an upstream, or over. */
async function verify(
  token: string,
  keys: SigningKeys,
  { credentials }: Doors,
): Promise<JsonObject | null> {
  const jws = readJws(token)
  if (!jws.ok || typeOf(jws.value) !== 'at+jwt') return null
  const { kid, alg } = jws.value.header
  const key = isIdentifier(kid) ? keys.find(kid) : null
  if (key === null || key.algorithm !== alg) return null
  if (!(await isSigned(jws.value, key.key, key.algorithm))) return null
  const payload = readSegment(jws.value.payload)
  if (!payload.ok) return null
  const { iss, exp } = payload.value
  return iss === credentials.origin && isEpochSeconds(exp) && exp * 1000 > Date.now()
    ? payload.value
    : null
}

/** As JSON, or signed for whoever asks for that (RFC 9701 §4). */
async function answer(
  told: JsonObject,
  request: Request,
  { server }: Asker,
  { credentials }: Doors,
): Promise<Response> {
  const headers = { 'cache-control': 'no-store' }
  const keys = await credentials.signing()
  const wantsSigned = (request.headers.get('accept') ?? '').toLowerCase().includes(SIGNED_ANSWER)
  if (!wantsSigned || !keys.ok) return Response.json(told, { headers })
  const { kid, algorithm, key } = keys.value.signer
  const signed = await new SignJWT({ token_introspection: told })
    .setProtectedHeader({ alg: algorithm, typ: 'token-introspection+jwt', kid })
    .setIssuer(credentials.origin)
    .setAudience(server.facts.name)
    .setIssuedAt()
    .sign(key)
  return new Response(signed, { headers: { ...headers, 'content-type': SIGNED_ANSWER } })
}
