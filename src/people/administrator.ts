// Administrators come through Cloudflare Access, which signs a document for each of their requests.
import { readJws } from '../authentication/jws.ts'
import { readSegment } from '../authentication/payload.ts'
import { isIdentifier } from '../authentication/text.ts'
import { err, ok, type Result } from '../result.ts'
import { sha256 } from '../sha256.ts'
import { readFields, type Fields } from './form.ts'
import type { PageRefusal } from './refusal.ts'
import { isCurrent, isOfTenant, readSigned } from './signed.ts'
import { accessIssuers, type Site } from './site.ts'
import { mayBeHere } from './standing.ts'

export const ROLE = 'administrator'

export interface Administrator {
  readonly tenant: string
  readonly issuer: string
  readonly email: string
  /** Which key of the issuer signed their document. */
  readonly keyId: string
  /** Forms are sealed with it. Of the document itself, which no other site can see. */
  readonly secret: string
}

/** Access lets a session live for a month at most. */
const LONGEST_DOCUMENT_MS = 31 * 24 * 3_600_000

/**
 * INVARIANT: by the signed document alone. The headers that Access adds with an email are as good as
 * whoever reaches this Worker past Access, and are never read.
 */
export async function administratorAt(site: Site): Promise<Result<Administrator, PageRefusal>> {
  const { people, request } = site
  const document = request.headers.get('cf-access-jwt-assertion')
  if (document === null) return err('not_administrator')
  const issuer = accessIssuers(site).find(({ url }) => url === claimedIssuer(document))
  if (issuer === undefined) return err('not_administrator')
  const signed = await readSigned(document, issuer, people.doors.keys)
  if (!signed.ok) {
    return err(signed.error === 'unavailable' ? 'unavailable' : 'not_administrator')
  }
  const { claims, keyId } = signed.value
  const { aud, email, sub, type } = claims
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  const isRight =
    issuer.audience !== null &&
    audiences.includes(issuer.audience) &&
    isCurrent(claims, LONGEST_DOCUMENT_MS, people.now()) &&
    isOfTenant(claims, issuer) &&
    // Service tokens have an empty `sub`; a login's cookie for the whole team is of type `org`.
    isIdentifier(sub) &&
    (type === undefined || type === 'app')
  if (!isRight || !isIdentifier(email)) return err('not_administrator')
  const { tenant } = site.compiled
  const somebody = { tenant, issuer: issuer.url, subject: email, issuerSession: null, keyId }
  const standing = await mayBeHere(people, somebody, null)
  if (!standing.ok) return standing
  if (!(await holdsRole(site, issuer.url, email))) return err('not_administrator')
  return ok({ tenant, issuer: issuer.url, email, keyId, secret: await sha256(`form ${document}`) })
}

/** A form that an administrator sent; its seal is not looked at yet. */
export async function administratorsForm(
  site: Site,
): Promise<
  Result<{ readonly administrator: Administrator; readonly fields: Fields }, PageRefusal>
> {
  const fields = await readFields(site.request)
  if (!fields.ok) return fields
  const administrator = await administratorAt(site)
  return administrator.ok
    ? ok({ administrator: administrator.value, fields: fields.value })
    : administrator
}

/** Unverified: it only chooses among the issuers that are configured. */
function claimedIssuer(document: string): unknown {
  const jws = readJws(document)
  const payload = jws.ok ? readSegment(jws.value.payload) : jws
  return payload.ok ? payload.value['iss'] : null
}

async function holdsRole(
  { people, compiled }: Site,
  issuer: string,
  email: string,
): Promise<boolean> {
  const row = await people.doors.policies.read((database) =>
    database
      .prepare(
        `SELECT 1 FROM role_assignments WHERE tenant = ?1 AND issuer = ?2 AND holder_kind = 'user'
           AND holder = ?3 AND role = ?4 AND (expires_at IS NULL OR expires_at > ?5)`,
      )
      .bind(compiled.tenant, issuer, email, ROLE, people.now())
      .first(),
  )
  return row.ok && row.value !== null
}
