// What an administrator does at the page of revocations. Every "no" is a value; `routes.ts` shows it.
import {
  olderRevocationsPath,
  revocationHistoryPath,
  revocationsPath,
} from '../../../page-addresses.ts'
import { err, ok, type Result } from '../../../result.ts'
import { administratorAt, administratorsForm, type Administrator } from '../../administrator.ts'
import { doneAt, doneHere } from '../../done.ts'
import { checkSeal, sealed, type Sealed } from '../../form.ts'
import type { Html } from '../../pages/layout.ts'
import type { PageRefusal } from '../../refusal.ts'
import { issuersOf, type Site } from '../../site.ts'
import { isKnown } from './known.ts'
import { historyPage } from './pages/history-page.ts'
import { LONGEST_REASON, type AskRevoke } from './pages/revoke-card.ts'
import { DONE, revocationsPage, type Listed } from './pages/revocations-page.ts'
import {
  beforeOf,
  historyIn,
  liftRevocation,
  MOST_LISTED,
  revocationsIn,
  toldBy,
  writeRevocation,
  type ListedRevocation,
} from './rows.ts'
import { readTyped, typedIn, type Typed, type WantedRevocation } from './wanted.ts'

type Visit<T> = Promise<Result<T, PageRefusal>>

/** INVARIANT: of one thing, by one name, after what was last said of it. */
const revokeForm = (
  server: string,
  { kind, id, issuer }: WantedRevocation,
  after: string,
): Sealed => ({ action: 'revoke', server, values: [kind, id, issuer, after] })

/** An entry of the history is of one row, and of one state of it. */
export const liftForm = (server: string, change: string): Sealed => ({
  action: 'lift',
  server,
  values: [change],
})

const signature = ({ email }: Administrator): string => `administrator ${email}`

export async function listRevocations(site: Site): Visit<Html> {
  const administrator = await administratorAt(site)
  if (!administrator.ok) return administrator
  const { secret } = administrator.value
  const { name, people, compiled } = site
  const query = new URL(site.request.url).searchParams
  const revokedAt = wholeNumber(query.get('before'))
  const place = wholeNumber(query.get('place'))
  if (revokedAt === null || place === null) return err('form_malformed')
  const rows = await revocationsIn(site, { revokedAt, place })
  if (!rows.ok) return err('unavailable')
  const typed = typedIn(query)
  const wanted = typed === null ? null : readTyped(typed, compiled.tenant, issuersOf(site))
  const ask = wanted?.ok === true ? await askOf(site, administrator.value, wanted.value) : null
  if (ask?.ok === false) return ask
  const last = rows.value.length === MOST_LISTED ? rows.value.at(-1) : undefined
  return ok(
    revocationsPage({
      server: name,
      tenant: compiled.tenant,
      administrator: administrator.value,
      done: doneHere(site, DONE),
      typed: typed ?? NOTHING_TYPED,
      problem: wanted?.ok === false ? wanted.error : null,
      ask: ask?.value ?? null,
      issuers: [...issuersOf(site)].toSorted(),
      listed: await Promise.all(rows.value.map((row) => listed(site, secret, row))),
      isFirst: !query.has('before'),
      older: last === undefined ? null : olderRevocationsPath(name, last),
      now: people.now(),
    }),
  )
}

const NOTHING_TYPED: Typed = { kind: '', id: '', issuer: '*' }

/** What the address names, or the end of all; null: no whole number. */
function wholeNumber(text: string | null): number | null {
  const number = text === null ? Number.MAX_SAFE_INTEGER : Number(text)
  return Number.isSafeInteger(number) ? number : null
}

async function listed(site: Site, secret: string, row: ListedRevocation): Promise<Listed> {
  // What a stream said is not for people to unsay, so there is no form to do it with.
  const isOfPeople = row.source === ''
  const form = liftForm(site.name, String(row.change))
  return { row, seal: isOfPeople ? await sealed(secret, form, site.people.now()) : null }
}

async function askOf(
  site: Site,
  administrator: Administrator,
  wanted: WantedRevocation,
): Promise<Result<AskRevoke, PageRefusal>> {
  const before = await beforeOf(site, wanted)
  if (!before.ok) return err('unavailable')
  const known = await isKnown(site, wanted)
  if (!known.ok) return known
  const { change, row } = before.value
  return ok({
    wanted,
    known: known.value,
    before: row,
    after: String(change),
    seal: await sealed(
      administrator.secret,
      revokeForm(site.name, wanted, String(change)),
      site.people.now(),
    ),
  })
}

export interface Revoked {
  readonly location: string
  readonly wanted: WantedRevocation
}

/**
 * INVARIANT: in the tenant of this address's server, by an administrator of it, and exactly what stood
 * on the page. What may be revoked at all is asked once more, by the rows of now.
 */
export async function revoke(site: Site): Visit<Revoked> {
  const form = await administratorsForm(site)
  if (!form.ok) return form
  const { administrator, fields } = form.value
  const { people, name, compiled } = site
  const typed = typedIn(fields, 'named')
  const wanted = typed === null ? null : readTyped(typed, compiled.tenant, issuersOf(site))
  const reason = fields.get('reason') ?? ''
  if (wanted?.ok !== true || reason.length > LONGEST_REASON) return err('form_malformed')
  const after = fields.get('after') ?? ''
  const sealedForm = revokeForm(name, wanted.value, after)
  const seal = await checkSeal(fields, administrator.secret, sealedForm, people.now())
  if (!seal.ok) return seal
  const written = await writeRevocation(site, {
    wanted: wanted.value,
    reason,
    by: signature(administrator),
    after: Number(after),
  })
  const revoked = (done: string): Revoked => ({
    location: doneAt(revocationsPath(name), done),
    wanted: wanted.value,
  })
  if (written) return ok(revoked('revoked'))
  // In another tab, or by somebody else: what was wanted holds already.
  const now = await beforeOf(site, wanted.value)
  if (!now.ok) return err('unavailable')
  return now.value.row?.issuedBefore === null ? ok(revoked('held')) : err('moved_meanwhile')
}

export async function lift(site: Site): Visit<string> {
  const form = await administratorsForm(site)
  if (!form.ok) return form
  const { administrator, fields } = form.value
  const { people, name } = site
  const change = fields.get('change') ?? ''
  const sealedForm = liftForm(name, change)
  const seal = await checkSeal(fields, administrator.secret, sealedForm, people.now())
  if (!seal.ok) return seal
  const row = await toldBy(site, Number(change))
  if (!row.ok) return err('unavailable')
  if (row.value === null) return err('revocation_unknown')
  if (row.value.source !== '') return err('revocation_of_stream')
  const lifted = await liftRevocation(site, row.value.change, signature(administrator))
  return lifted ? ok(doneAt(revocationsPath(name), 'lifted')) : err('moved_meanwhile')
}

export async function showHistory(site: Site): Visit<Html> {
  const administrator = await administratorAt(site)
  if (!administrator.ok) return administrator
  const before = wholeNumber(new URL(site.request.url).searchParams.get('before'))
  if (before === null) return err('form_malformed')
  const entries = await historyIn(site, before)
  if (!entries.ok) return err('unavailable')
  const { name, compiled, people } = site
  const last = entries.value.length === MOST_LISTED ? entries.value.at(-1) : undefined
  return ok(
    historyPage({
      server: name,
      tenant: compiled.tenant,
      email: administrator.value.email,
      entries: entries.value,
      older: last === undefined ? null : revocationHistoryPath(name, last.change),
      now: people.now(),
    }),
  )
}
