// The caller's token for one that an upstream gets: RFC 8693, or an assertion for another issuer
// (draft-ietf-oauth-identity-assertion-authz-grant).
import { genericTokenEndpointRequest } from 'oauth4webapi'
import { inTime, LATE } from '../../in-time.ts'
import { readAudience } from '../../authentication/claims.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Exchange, TokenIssuer } from '../../storage/compiled-credentials.ts'
import { readTold, TOKEN_TYPE, type Told, type Wanted } from './answer.ts'
import { endpointOf, ENDPOINT_TIMEOUT_MS, type EndpointParts } from './endpoint.ts'
import { judgeToken, type Obtained, type Shown } from './judge.ts'
import { readClaimsSegment } from './jwt.ts'

export interface ExchangeCall {
  readonly exchange: Exchange
  readonly subjectToken: string
  /** Of a workload that came beside the token and proved itself; null: none. */
  readonly actorToken: string | null
  readonly shown: Shown
}

const GRANT = {
  exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  assertion: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
} as const

/** `given`: a token that came all the same. Nobody gets it, and whoever gave it takes it back. */
export interface ExchangeFault {
  readonly detail: string
  readonly given: { readonly token: string; readonly giver: TokenIssuer } | null
}

export async function exchangeToken(
  call: ExchangeCall,
  parts: EndpointParts,
): Promise<Result<Obtained, ExchangeFault>> {
  const abort = new AbortController()
  try {
    const work = obtain(call, parts, abort.signal)
    const answer = await inTime(work, parts.timeoutMs ?? ENDPOINT_TIMEOUT_MS, LATE)
    if (answer === LATE) return refused('no answer in time')
    const given = answer.ok ? null : answer.error.given
    // INVARIANT: what was shown is not ours to take back, whatever it was called when it came back.
    const isShown = given !== null && call.shown.texts.includes(given.token)
    return isShown && !answer.ok ? refused(answer.error.detail) : answer
  } finally {
    abort.abort()
  }
}

const refused = (detail: string, given: ExchangeFault['given'] = null) => err({ detail, given })

async function obtain(
  call: ExchangeCall,
  parts: EndpointParts,
  signal: AbortSignal,
): Promise<Result<Obtained, ExchangeFault>> {
  const { exchange, shown } = call
  // INVARIANT: a token is shown to its own issuer and to nobody else.
  const voucher = exchange.vouchers.find(({ url }) => url === shown.issuer)
  if (voucher === undefined) return refused('the caller is of another issuer')
  const ask = (issuer: TokenIssuer, grant: string, parameters: Parameters, wanted: Wanted) =>
    askFor(issuer, grant, parameters, wanted, exchange.tenant, parts, signal)
  if (exchange.grant === 'token-exchange') {
    const told = await ask(voucher, GRANT.exchange, exchangeParameters(call), FOR_ACCESS)
    return told.ok ? judged(told.value, call, [shown.subject], parts) : told
  }
  const assertion = await ask(voucher, GRANT.exchange, assertionParameters(call), FOR_ASSERTION)
  if (!assertion.ok) return assertion
  const subjects = subjectsIn(assertion.value.token, call)
  if (!subjects.ok) return refused(subjects.error)
  const parameters = {
    assertion: assertion.value.token,
    ...(exchange.scopes.length === 0 ? {} : { scope: exchange.scopes.join(' ') }),
  }
  const told = await ask(exchange.giver, GRANT.assertion, parameters, FOR_GRANT)
  return told.ok ? judged(told.value, call, subjects.value, parts) : told
}

type Parameters = Readonly<Record<string, string>>

const FOR_ACCESS: Wanted = { tokenType: 'bearer', issued: [TOKEN_TYPE.accessToken, TOKEN_TYPE.jwt] }
const FOR_ASSERTION: Wanted = { tokenType: 'n_a', issued: [TOKEN_TYPE.idJag] }
const FOR_GRANT: Wanted = { tokenType: 'bearer', issued: null }

function judged(
  told: Told,
  { exchange, shown }: ExchangeCall,
  subjects: readonly string[],
  { now }: EndpointParts,
): Result<Obtained, ExchangeFault> {
  const token = judgeToken(told, exchange, shown, subjects, now())
  return token.ok ? token : refused(token.error, { token: told.token, giver: exchange.giver })
}

async function askFor(
  issuer: TokenIssuer,
  grant: string,
  parameters: Parameters,
  wanted: Wanted,
  tenant: string,
  parts: EndpointParts,
  signal: AbortSignal,
): Promise<Result<Told, ExchangeFault>> {
  const endpoint = endpointOf(issuer, 'tokenUrl', tenant, parts, signal)
  if (!endpoint.ok) return refused(endpoint.error)
  const { server, client, authentication, options } = endpoint.value
  let response: Response
  try {
    response = await genericTokenEndpointRequest(
      server,
      client,
      authentication,
      grant,
      { ...parameters },
      options,
    )
  } catch {
    // What the network says about its failures may quote the address and more: not kept.
    return refused('the connection failed')
  }
  const told = await readTold(response, endpoint.value, wanted)
  if (told.ok) return told
  const { detail, given } = told.error
  return refused(detail, given === null ? null : { token: given, giver: issuer })
}

/** RFC 8693 §2.1. */
function exchangeParameters({ exchange, subjectToken, actorToken }: ExchangeCall): Parameters {
  const { audience, scopes } = exchange
  return {
    subject_token: subjectToken,
    subject_token_type: TOKEN_TYPE.accessToken,
    requested_token_type: TOKEN_TYPE.accessToken,
    // RFC 8707 §2: an address is a resource, a name that the issuer knows is an audience.
    ...(URL.canParse(audience) ? { resource: audience } : { audience }),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(actorToken === null ? {} : { actor_token: actorToken, actor_token_type: TOKEN_TYPE.jwt }),
  }
}

/** The audience of an ID-JAG is the issuer that takes it; the resource is what it is wanted for. */
function assertionParameters(call: ExchangeCall): Parameters {
  const { resource: _, audience: __, ...rest } = exchangeParameters(call)
  const { audience, giver } = call.exchange
  return {
    ...rest,
    requested_token_type: TOKEN_TYPE.idJag,
    audience: giver.url,
    ...(URL.canParse(audience) ? { resource: audience } : {}),
  }
}

/** By which names the giver may call the person that the assertion vouches for. */
function subjectsIn(
  assertion: string,
  { exchange, shown }: ExchangeCall,
): Result<readonly string[], string> {
  const jwt = readClaimsSegment(assertion)
  if (jwt === null || jwt === 'unreadable') return err('the assertion cannot be read')
  const { iss, sub, aud, aud_sub: there } = jwt.claims
  if (jwt.type !== 'oauth-id-jag+jwt') return err('the assertion is a JWT of another kind')
  if (iss !== shown.issuer || sub !== shown.subject)
    return err('the assertion is about somebody else')
  const audience = readAudience(aud)
  if (audience?.length !== 1 || audience[0] !== exchange.giver.url) {
    return err('the assertion is for another issuer')
  }
  return ok(typeof there === 'string' ? [there] : [shown.subject])
}
