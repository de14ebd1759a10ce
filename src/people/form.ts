// Forms that only the page itself, in the browser of the person it was made for, can send.
import { readBounded } from '../bounded-body.ts'
import { err, ok, type Result } from '../result.ts'
import type { PageRefusal } from './refusal.ts'
import { isSealed, sealOf } from './secret.ts'

/** What a form does, and everything in it that the person does not choose there. */
export interface Sealed {
  readonly action: 'grant' | 'withdraw' | 'withdraw-any' | 'logout' | 'revoke' | 'lift'
  readonly server: string
  /** In a fixed order for each action. */
  readonly values: readonly string[]
}

/** Hidden fields of a form. */
export interface Seal {
  readonly id: string
  readonly at: string
  readonly seal: string
}

const LONGEST_MS = 60 * 60_000
const MAX_BYTES = 16 * 1024

export type Fields = ReadonlyMap<string, string>

const partsOf = ({ action, server, values }: Sealed, id: string, at: string): string[] => [
  action,
  server,
  id,
  at,
  ...values,
]

export async function sealed(secret: string, form: Sealed, now: number): Promise<Seal> {
  const [id, at] = [crypto.randomUUID(), String(now)]
  return { id, at, seal: await sealOf(secret, partsOf(form, id, at)) }
}

/**
 * A browser says where a form comes from (Fetch §3.2, Fetch Metadata §2.1); who sends neither word is
 * no browser and says it all the same, or is refused.
 */
export function isFromOwnPage(request: Request): boolean {
  const site = request.headers.get('sec-fetch-site')
  return (
    request.headers.get('origin') === new URL(request.url).origin &&
    (site === null || site === 'same-origin')
  )
}

/** Each field once; the body is read no further than it may be long. */
export async function readFields(request: Request): Promise<Result<Fields, PageRefusal>> {
  if (!isFromOwnPage(request)) return err('cross_site')
  const type = (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') return err('form_malformed')
  const bytes = await readBounded(request.body, MAX_BYTES)
  if (bytes === null) return err('form_malformed')
  const fields = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(new TextDecoder().decode(bytes))) {
    if (fields.has(name)) return err('form_malformed')
    fields.set(name, value)
  }
  return ok(fields)
}

/**
 * INVARIANT: what passes is what this page put into this person's form within the last hour, down to
 * the last value. The id tells a second sending from the first, where that matters.
 */
export async function checkSeal(
  fields: Fields,
  secret: string,
  form: Sealed,
  now: number,
): Promise<Result<string, PageRefusal>> {
  const [id, at, seal] = ['id', 'at', 'seal'].map((name) => fields.get(name) ?? '')
  if (id === undefined || at === undefined || seal === undefined) return err('form_malformed')
  if (!(await isSealed(secret, partsOf(form, id, at), seal))) return err('form_altered')
  const age = now - Number(at)
  return age >= 0 && age <= LONGEST_MS ? ok(id) : err('form_old')
}
