import {
  isTrustDomain,
  parseAlgorithms,
  type IntrospectionRow,
  type Issuer,
} from '../authentication/issuer.ts'
import { trustedUrl, type UrlRules } from '../authentication/url.ts'
import { err, ok, type Result } from '../result.ts'
import { exchangeAt } from './compiled-credentials.ts'
import type { TenantTables } from './tenant-tables.ts'

type IssuerRow = TenantTables['issuers'][number]

/** INVARIANT: an issuer whose row cannot be used is no issuer: its tokens are refused. */
export function compileIssuers(rows: readonly IssuerRow[], rules: UrlRules) {
  const byUrl = new Map<string, Issuer>()
  const problems: string[] = []
  for (const row of rows) {
    const issuer = readIssuer(row, rules)
    if (issuer.ok) byUrl.set(row.url, issuer.value)
    else problems.push(`issuer \`${row.url}\`: ${issuer.error}`)
  }
  return { byUrl, problems }
}

/** A row as door one reads it, or why it cannot. */
export function readIssuer(row: IssuerRow, rules: UrlRules): Result<Issuer, string> {
  const algorithms = parseAlgorithms(row.algorithms)
  if (!algorithms.ok) return algorithms
  const addresses = row.kind === 'workload' ? [row.jwksUri] : [row.url, row.jwksUri]
  if (row.introspection !== 'never') addresses.push(row.introspectionUrl ?? '')
  for (const address of addresses) {
    const url = trustedUrl(address, rules)
    if (!url.ok) return url
  }
  if (row.kind === 'workload' && !isTrustDomain(row.url)) {
    return err('a workload issuer is named by its trust domain alone')
  }
  const exchange = exchangeAt(row, rules)
  if (!exchange.ok) return exchange
  return ok({
    tenant: row.tenant,
    kind: row.kind,
    url: row.url,
    jwksUri: row.jwksUri,
    algorithms: algorithms.value,
    tenantClaim: row.tenantClaim,
    audience: row.audience,
    maxLifetimeSeconds: row.maxLifetimeSeconds,
    introspection: introspectionOf(row),
    exchange: exchange.value,
    login: row.loginClient === null ? null : { client: row.loginClient, secret: row.loginSecret },
    opensTasks: row.opensTasks,
    statusList: row.statusList,
    active: row.active,
  })
}

function introspectionOf(row: IssuerRow): IntrospectionRow | null {
  const { introspection, introspectionUrl: url, introspectionSecret: secret } = row
  if (introspection === 'never' || url === null || secret === null) return null
  return { url, secret, opaque: introspection !== 'jwt', jwt: introspection !== 'opaque' }
}
