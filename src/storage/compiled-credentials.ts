// A server's row -> what its calls carry. Pure but for `URL`.
import type { Issuer } from '../authentication/issuer.ts'
import { trustedUrl, type UrlRules } from '../authentication/url.ts'
import { err, ok, type Result } from '../result.ts'
import type { CredentialKind, ExchangeGrant } from './credential-kinds.ts'

/** One server's, as compiled rows have it. `broken`: its calls carry nothing, because they do not go. */
export type ServerCredential =
  | { readonly kind: 'none' }
  | { readonly kind: 'signed'; readonly audience: string }
  | ({ readonly kind: 'exchange' } & Exchange)
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'broken'; readonly problem: string }

/** Plain data: it goes to an object of its own, and is kept there for as long as a token lives. */
export interface Exchange {
  readonly tenant: string
  readonly grant: ExchangeGrant
  readonly audience: string
  readonly scopes: readonly string[]
  /** Gives the token that the upstream gets. */
  readonly giver: TokenIssuer
  /** Of an ID-JAG grant: `giver` itself, or whoever vouches for the caller to it. */
  readonly vouchers: readonly TokenIssuer[]
}

/** An issuer as a place to get tokens from. */
export interface TokenIssuer {
  readonly url: string
  readonly tokenUrl: string
  /** null: what it gave it never takes back. */
  readonly revocationUrl: string | null
  /** The name of a Worker secret (src/secrets.ts). */
  readonly secret: string
  /** The claim that says whose user a token speaks of; null: the issuer serves one tenant. */
  readonly tenantClaim: string | null
  readonly maxLifetimeSeconds: number
}

/** The columns of `servers` that speak of it. */
export interface CredentialRow {
  readonly tenant: string
  readonly url: string
  readonly credential: CredentialKind
  readonly credentialAudience: string | null
  readonly credentialScope: string
  readonly credentialSecret: string | null
  readonly exchangeIssuer: string | null
  readonly exchangeGrant: ExchangeGrant
  readonly exchangeSecret: string | null
  readonly assertionSecret: string | null
}

export interface TokenIssuerRow {
  readonly url: string
  readonly tokenUrl: string | null
  readonly revocationUrl: string | null
}

type Issuers = ReadonlyMap<string, Issuer>

/** INVARIANT: a row that cannot be used as it is lets no call through: it never means `none`. */
export function compileCredential(row: CredentialRow, issuers: Issuers): ServerCredential {
  const audience = row.credentialAudience ?? row.url
  switch (row.credential) {
    case 'none':
      return { kind: 'none' }
    case 'signed':
      return { kind: 'signed', audience }
    case 'secret':
      return row.credentialSecret === null
        ? broken('names no secret')
        : { kind: 'secret', secret: row.credentialSecret }
    case 'exchange': {
      const exchange = exchangeOf(row, audience, issuers)
      return exchange.ok ? { kind: 'exchange', ...exchange.value } : broken(exchange.error)
    }
  }
}

const broken = (problem: string): ServerCredential => ({ kind: 'broken', problem })

function exchangeOf(
  row: CredentialRow,
  audience: string,
  issuers: Issuers,
): Result<Exchange, string> {
  const { tenant, exchangeIssuer, exchangeSecret, exchangeGrant: grant } = row
  if (exchangeIssuer === null || exchangeSecret === null) return err('names no issuer and secret')
  const giver = tokenIssuer(issuers.get(exchangeIssuer), exchangeSecret)
  if (giver === null) return err(`issuer \`${exchangeIssuer}\` gives no tokens in exchange`)
  const scopes = row.credentialScope.split(' ').filter((scope) => scope !== '')
  // INVARIANT: the caller's token is shown to nobody but whoever issued it.
  const vouchers =
    grant === 'token-exchange'
      ? [giver]
      : [...issuers.values()].flatMap((issuer) => {
          const own = issuer.url === exchangeIssuer ? exchangeSecret : row.assertionSecret
          const voucher = own === null ? null : tokenIssuer(issuer, own)
          return voucher === null ? [] : [voucher]
        })
  return ok({ tenant, grant, audience, scopes, giver, vouchers })
}

function tokenIssuer(issuer: Issuer | undefined, secret: string): TokenIssuer | null {
  if (issuer?.active !== true || issuer.exchange === null) return null
  const { url, exchange, tenantClaim, maxLifetimeSeconds } = issuer
  return { url, ...exchange, secret, tenantClaim, maxLifetimeSeconds }
}

/** Where an issuer's row says that tokens are given and taken back; null: nowhere. */
export function exchangeAt(
  row: TokenIssuerRow,
  rules: UrlRules,
): Result<Issuer['exchange'], string> {
  if (row.tokenUrl === null) return ok(null)
  const tokenUrl = trustedUrl(row.tokenUrl, rules)
  if (!tokenUrl.ok) return tokenUrl
  if (row.revocationUrl === null) return ok({ tokenUrl: tokenUrl.value.href, revocationUrl: null })
  const revocationUrl = trustedUrl(row.revocationUrl, rules)
  if (!revocationUrl.ok) return revocationUrl
  // One secret opens both, and a secret is for one origin.
  return tokenUrl.value.origin === revocationUrl.value.origin
    ? ok({ tokenUrl: tokenUrl.value.href, revocationUrl: revocationUrl.value.href })
    : err('token_url and revocation_url have different origins')
}
