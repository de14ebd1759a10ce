// The question that an address asks: whether to allow this client this tool, or this class.
import { isJsonObject } from '../mcp/value.ts'
import { readJson } from '../mcp/json.ts'
import { differences } from '../mcp/definition.ts'
import type { JsonObject } from '../mcp/value.ts'
import type { Access, ToolFacts } from '../pdp/evaluation.ts'
import type { Wanted } from '../page-addresses.ts'
import { err, ok, type Result } from '../result.ts'
import { clientRow, definitionsOf, type ConsentRow } from './consents.ts'
import { sealed, type Sealed } from './form.ts'
import { offersTo } from './offers.ts'
import type { Ask } from './pages/ask-card.ts'
import type { PageRefusal } from './refusal.ts'
import type { Person } from './session.ts'
import type { Site } from './site.ts'

/** Everything that a grant is for, in the order that its seal covers. */
export const grantForm = (
  server: string,
  { client, tool, access }: Wanted,
  { definition, does }: { readonly definition: string; readonly does: string },
): Sealed => ({
  action: 'grant',
  server,
  values: [client, tool ?? '', access ?? '', definition, does],
})

/** What may be asked for here now, or why it may not. */
export interface Askable {
  /** null: a class of access. */
  readonly tool: ToolFacts | null
  /** The class that is asked for, or what the tool does at its worst. */
  readonly access: Access
  /** The present pin, or empty: part of what is agreed to. */
  readonly definition: string
}

export async function askable(
  site: Site,
  person: Person,
  wanted: Wanted,
): Promise<Result<Askable, PageRefusal>> {
  const offers = await offersTo(site, person, wanted.client)
  if (!offers.ok) return offers
  if (wanted.tool !== null) {
    const tool = offers.value.find(wanted.tool)
    return tool === null
      ? err('not_offered')
      : ok({ tool, access: tool.access, definition: tool.pin?.hash ?? '' })
  }
  const access = offers.value.classes.find((one) => one === wanted.access)
  return access === undefined ? err('not_offered') : ok({ tool: null, access, definition: '' })
}

export async function askOf(
  site: Site,
  person: Person,
  wanted: Wanted,
  given: readonly ConsentRow[],
): Promise<Result<Ask, PageRefusal>> {
  const asked = await askable(site, person, wanted)
  if (!asked.ok) return asked
  const { tool, access, definition } = asked.value
  const client = await clientRow(site, person, wanted.client)
  if (!client.ok) return err('unavailable')
  if (client.value === null) return err('client_not_offered')
  const earlier = agreedTo(given, wanted, definition)
  const texts =
    tool === null
      ? ok({ now: null, before: null })
      : await definitionsOf(site, tool.name, definition, earlier)
  if (!texts.ok) return err('unavailable')
  const now = objectOf(texts.value.now)
  const before = objectOf(texts.value.before)
  return ok({
    wanted,
    client: client.value,
    tool,
    access,
    described: { title: textOf(now, 'title'), text: textOf(now, 'description') },
    changed:
      earlier === null
        ? null
        : now === null || before === null
          ? 'unknown'
          : differences(before, now),
    definition,
    seal: await sealed(
      person.secret,
      grantForm(site.name, wanted, { definition, does: access }),
      site.people.now(),
    ),
  })
}

/** The definition of the last consent to this tool for this client, if it was another one. */
function agreedTo(
  given: readonly ConsentRow[],
  { client, tool }: Wanted,
  definition: string,
): string | null {
  const [last] = given
    .filter((row) => row.client === client && tool !== null && row.tool === tool)
    .toSorted((a, b) => b.grantedAt - a.grantedAt)
  const hash = last?.definitionHash ?? null
  return hash === definition ? null : hash
}

function objectOf(text: string | null): JsonObject | null {
  const read = text === null ? null : readJson(text)
  return read?.ok === true && isJsonObject(read.value) ? read.value : null
}

function textOf(definition: JsonObject | null, member: string): string | null {
  const value = definition === null ? null : definition[member]
  return typeof value === 'string' && value !== '' ? value : null
}
