// What a person does at the addresses of their page. Every "no" is a value; `routes.ts` shows it.
import { consentPath, wantedPath, type Wanted } from '../page-addresses.ts'
import { err, ok, type Result } from '../result.ts'
import { askOf, askable, grantForm } from './ask.ts'
import { consentAt, givenBy, grantConsent, withdrawConsent } from './consents.ts'
import { doneAt, doneHere } from './done.ts'
import { checkSeal, readFields, sealed, type Fields, type Sealed } from './form.ts'
import { listedConsents, titleOf, withdrawForm } from './listed.ts'
import { offersTo, type Offers } from './offers.ts'
import { LONGEST_PURPOSE } from './pages/ask-card.ts'
import { consentsPage, DONE } from './pages/consents-page.ts'
import type { Html } from './pages/layout.ts'
import type { PageRefusal } from './refusal.ts'
import { personAt, type Person } from './session.ts'
import type { Site } from './site.ts'
import { isAccess, readWanted } from './wanted.ts'
import { isSpan, SPANS } from './words.ts'

type Visit<T> = Promise<Result<T, PageRefusal>>

export async function listConsents(site: Site, person: Person): Visit<Html> {
  const { people, name, server } = site
  const query = new URL(site.request.url).searchParams
  const given = await givenBy(site, person)
  if (!given.ok) return err('unavailable')
  const wanted = readWanted(query)
  const asked = wanted === null ? ok(null) : await askOf(site, person, wanted, given.value.consents)
  if (!asked.ok) return asked
  const offers = asked.value === null ? await offersFor(site, person, given.value.clients) : null
  const now = people.now()
  return ok(
    consentsPage({
      server: name,
      title: titleOf(site),
      isAskedFor: server.facts.consentRequired,
      person,
      done: doneHere(site, DONE),
      ask: asked.value,
      consents: await listedConsents(site, given.value.consents, person.secret, (id) =>
        withdrawForm(name, id),
      ),
      clients: given.value.clients,
      tools: offers?.tools.map((tool) => tool.name) ?? [],
      classes: offers?.classes ?? [],
      logout: await sealed(person.secret, logoutForm(name), now),
      now,
    }),
  )
}

/** Clients differ little in what they could be allowed; the question itself is asked of the one. */
async function offersFor(
  site: Site,
  person: Person,
  clients: readonly { readonly id: string }[],
): Promise<Offers | null> {
  for (const { id } of clients.slice(0, CLIENTS_TRIED)) {
    const offers = await offersTo(site, person, id)
    if (offers.ok) return offers.value
  }
  return null
}

const CLIENTS_TRIED = 3

const logoutForm = (server: string): Sealed => ({ action: 'logout', server, values: [] })

/** Who sends a form, and what is in it. */
async function formOf(site: Site): Visit<{ readonly person: Person; readonly fields: Fields }> {
  const fields = await readFields(site.request)
  if (!fields.ok) return fields
  const person = await personAt(site)
  return person.ok ? ok({ person: person.value, fields: fields.value }) : person
}

/**
 * INVARIANT: for the person who is signed in, at the server of this address, and for exactly the
 * client, tool or class, and definition that stood on the page, with what the tool does at its worst:
 * the seal covers them all. Whether they may be asked for, and are still that, is asked once more, by
 * the rows of now.
 */
export async function grant(site: Site): Visit<string> {
  const form = await formOf(site)
  if (!form.ok) return form
  const { person, fields } = form.value
  const until = fields.get('until') ?? ''
  const purpose = fields.get('purpose') ?? ''
  const wanted = wantedIn(fields)
  if (wanted === null || !isSpan(until) || purpose.length > LONGEST_PURPOSE) {
    return err('form_malformed')
  }
  const shown = { definition: fields.get('definition') ?? '', does: fields.get('does') ?? '' }
  const { people, name } = site
  const sealedForm = grantForm(name, wanted, shown)
  const id = await checkSeal(fields, person.secret, sealedForm, people.now())
  if (!id.ok) return id
  const asked = await askable(site, person, wanted)
  if (!asked.ok) return asked
  const { definition, access } = asked.value
  if (definition !== shown.definition || access !== shown.does) return err('changed_meanwhile')
  const { ms } = SPANS[until]
  const granted = await grantConsent(site, person, {
    id: id.value,
    client: wanted.client,
    tool: wanted.tool,
    access: wanted.access !== null && isAccess(wanted.access) ? wanted.access : null,
    purpose: purpose.toWellFormed(),
    definitionHash: definition === '' ? null : definition,
    expiresAt: ms === null ? null : people.now() + ms,
  })
  switch (granted) {
    case 'granted':
      return ok(doneAt(consentPath(name), 'granted'))
    case 'used':
      return err('form_used')
    case 'too_many':
      return err('too_many_consents')
  }
}

function wantedIn(fields: Fields): Wanted | null {
  const [client, tool, access] = ['client', 'tool', 'access'].map((name) => fields.get(name) ?? '')
  const query = new URLSearchParams({ client: client ?? '' })
  if (tool) query.set('tool', tool)
  if (access) query.set('access', access)
  const wanted = readWanted(query)
  // Both or neither was never asked.
  return wanted === null || (tool !== '' && access !== '') ? null : wanted
}

export async function withdraw(site: Site): Visit<string> {
  const form = await formOf(site)
  if (!form.ok) return form
  const { person, fields } = form.value
  const { people, name } = site
  const id = fields.get('consent') ?? ''
  const seal = await checkSeal(fields, person.secret, withdrawForm(name, id), people.now())
  if (!seal.ok) return seal
  const about = await consentAt(site, id, person)
  if (!about.ok) return err('unavailable')
  if (about.value === null) return err('consent_unknown')
  const changed = await withdrawConsent(site, about.value, 'person')
  return ok(doneAt(consentPath(name), changed > 0 ? 'withdrawn' : 'unchanged'))
}

/** Checked like any other form: nobody signs a person out from another site. */
export async function logout(site: Site): Visit<string> {
  const form = await formOf(site)
  if (!form.ok) return form
  const { person, fields } = form.value
  const seal = await checkSeal(fields, person.secret, logoutForm(site.name), site.people.now())
  return seal.ok ? ok(consentPath(site.name)) : seal
}

/** Where a login leads back to: a page of ours, made from its parts. */
export const afterLogin = (server: string, wanted: Wanted | null): string =>
  wanted === null ? consentPath(server) : wantedPath(server, wanted)
