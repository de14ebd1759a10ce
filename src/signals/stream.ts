// A stream as its row describes it.
import { parseAlgorithms, type Issuer } from '../authentication/issuer.ts'
import { trustedUrl, type UrlRules } from '../authentication/url.ts'
import { err, ok, type Result } from '../result.ts'
import type { D1Reader } from '../storage/freshness.ts'
import type { signalStreams } from '../storage/schema.ts'

export interface Stream {
  readonly id: string
  readonly tenant: string
  /** Whose tokens its events are about. */
  readonly issuer: string
  /** The `iss` of its events. */
  readonly transmitter: string
  readonly keys: Pick<Issuer, 'url' | 'jwksUri' | 'algorithms'>
  /** The `kid` of each key that people took back: what it signs is nobody's, tokens and events alike. */
  readonly revokedKeys: readonly string[]
  readonly audience: string
  readonly secret: string | null
  readonly poll: { readonly url: URL; readonly everySeconds: number } | null
  readonly emailIsSubject: boolean
  readonly tenantName: string | null
  readonly criticalMembers: readonly string[]
  /** The claim by which the issuer's tokens say whose they are; null: it serves one tenant. */
  readonly tenantClaim: string | null
}

type StreamRow = typeof signalStreams.$inferSelect

/** What `readStream` looks at. */
export type StreamColumns = Pick<
  StreamRow,
  | 'id'
  | 'tenant'
  | 'issuer'
  | 'transmitter'
  | 'jwksUri'
  | 'algorithms'
  | 'audience'
  | 'secret'
  | 'delivery'
  | 'pollUrl'
  | 'pollEverySeconds'
  | 'tenantName'
  | 'criticalMembers'
> & { readonly emailIsSubject: number | boolean }

/** INVARIANT: a row that cannot be used is no stream: nothing it is sent has an effect. */
export function readStream(
  row: StreamColumns,
  issuer: {
    readonly jwksUri: string
    readonly tenantClaim: string | null
    readonly revokedKeys?: readonly string[]
  },
  rules: UrlRules,
): Result<Stream, string> {
  const algorithms = parseAlgorithms(row.algorithms)
  if (!algorithms.ok) return algorithms
  const jwksUri = row.jwksUri ?? issuer.jwksUri
  const keys = trustedUrl(jwksUri, rules)
  if (!keys.ok) return keys
  const criticalMembers: unknown[] = JSON.parse(row.criticalMembers)
  if (!criticalMembers.every((one) => typeof one === 'string')) {
    return err('critical_members holds something that is no text')
  }
  const url = row.delivery === 'poll' ? trustedUrl(row.pollUrl ?? '', rules) : null
  if (url !== null && !url.ok) return url
  return ok({
    id: row.id,
    tenant: row.tenant,
    issuer: row.issuer,
    transmitter: row.transmitter ?? row.issuer,
    keys: { url: row.transmitter ?? row.issuer, jwksUri, algorithms: algorithms.value },
    revokedKeys: issuer.revokedKeys ?? [],
    audience: row.audience,
    secret: row.secret,
    poll: url === null ? null : { url: url.value, everySeconds: row.pollEverySeconds },
    emailIsSubject: row.emailIsSubject === 1 || row.emailIsSubject === true,
    tenantName: row.tenantName,
    criticalMembers,
    tenantClaim: issuer.tenantClaim,
  })
}

const COLUMNS = `stream.id, stream.tenant, stream.issuer, stream.transmitter, stream.jwks_uri AS jwksUri,
  stream.algorithms, stream.audience, stream.secret, stream.delivery, stream.poll_url AS pollUrl,
  stream.poll_every_s AS pollEverySeconds, stream.email_is_subject AS emailIsSubject,
  stream.tenant_name AS tenantName, stream.critical_members AS criticalMembers,
  issuer.jwks_uri AS issuerKeys, issuer.tenant_claim AS tenantClaim,
  (SELECT json_group_array(revoked.id) FROM revocations AS revoked
     WHERE revoked.tenant = stream.tenant AND revoked.kind = 'issuer_key'
       AND revoked.issuer IN ('*', stream.issuer, stream.transmitter)) AS revokedKeys`

export type StoredStream = StreamColumns & {
  readonly issuerKeys: string
  readonly tenantClaim: string | null
  /** JSON. */
  readonly revokedKeys: string
}

const ACTIVE = `SELECT ${COLUMNS} FROM signal_streams AS stream
  JOIN issuers AS issuer ON issuer.tenant = stream.tenant AND issuer.url = stream.issuer
    AND issuer.kind = 'oauth'
  WHERE stream.active = 1`

/** As it is now; null: no active stream has that name. */
export const streamNamed = (database: D1Reader, id: string) =>
  database.prepare(`${ACTIVE} AND stream.id = ?1`).bind(id).first<StoredStream>()

const MOST_STREAMS = 200

export const streamsPushed = (database: D1Reader) =>
  database
    .prepare(`${ACTIVE} AND stream.delivery = 'push' ORDER BY stream.id LIMIT ${MOST_STREAMS}`)
    .all<StoredStream>()
