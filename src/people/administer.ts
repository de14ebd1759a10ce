// The page of administrators: all consents of one server.
import { allPath, withdrawAnyPath } from '../page-addresses.ts'
import { err, ok, type Result } from '../result.ts'
import { administratorAt, administratorsForm } from './administrator.ts'
import { consentAt, givenAt, MOST_SHOWN, withdrawConsent } from './consents.ts'
import { doneAt, doneHere } from './done.ts'
import { checkSeal, type Sealed } from './form.ts'
import { listedConsents, titleOf, withdrawForm } from './listed.ts'
import { allPage, DONE } from './pages/consents-page.ts'
import type { Html } from './pages/layout.ts'
import type { PageRefusal } from './refusal.ts'
import type { Site } from './site.ts'

type Visit<T> = Promise<Result<T, PageRefusal>>

const withdrawAnyForm = (server: string, consent: string): Sealed => ({
  ...withdrawForm(server, consent),
  action: 'withdraw-any',
})

export async function listAll(site: Site): Visit<Html> {
  const administrator = await administratorAt(site)
  if (!administrator.ok) return administrator
  const { email, secret } = administrator.value
  const { name } = site
  const query = new URL(site.request.url).searchParams
  const before = Number(query.get('before') ?? Number.MAX_SAFE_INTEGER)
  if (!Number.isSafeInteger(before)) return err('form_malformed')
  const rows = await givenAt(site, before, query.get('id') ?? '')
  if (!rows.ok) return err('unavailable')
  const last = rows.value.length === MOST_SHOWN ? rows.value.at(-1) : undefined
  return ok(
    allPage({
      server: name,
      title: titleOf(site),
      email,
      done: doneHere(site, DONE),
      consents: await listedConsents(site, rows.value, secret, (id) => withdrawAnyForm(name, id)),
      withdrawAction: withdrawAnyPath(name),
      isFirst: !query.has('before'),
      now: site.people.now(),
      older: last === undefined ? null : allPath(name, last),
    }),
  )
}

export async function withdrawAny(site: Site): Visit<string> {
  const form = await administratorsForm(site)
  if (!form.ok) return form
  const { fields, administrator } = form.value
  const { email, secret } = administrator
  const { people, name } = site
  const id = fields.get('consent') ?? ''
  const seal = await checkSeal(fields, secret, withdrawAnyForm(name, id), people.now())
  if (!seal.ok) return seal
  const about = await consentAt(site, id, null)
  if (!about.ok) return err('unavailable')
  if (about.value === null) return err('consent_unknown')
  const changed = await withdrawConsent(site, about.value, `administrator ${email}`)
  return ok(doneAt(allPath(name), changed > 0 ? 'withdrawn' : 'unchanged'))
}
