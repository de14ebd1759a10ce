import { readJson } from '../mcp/json.ts'
import { canonicalDefinition, differences, type Difference } from '../mcp/definition.ts'
import { kindOf } from '../mcp/catalogue.ts'
import type { Listed } from '../mcp/listing.ts'
import type { Listing } from '../mcp/operation.ts'
import { isJsonObject, type JsonObject } from '../mcp/value.ts'
import type { Sighting } from '../pdp/evaluation.ts'
import { sha256 } from '../sha256.ts'
import type { CompiledServer } from '../storage/compiled.ts'
import type { SightingNote } from '../storage/sightings.ts'
import { listCatalogue } from '../upstream/list-tools.ts'
import type { Doors } from './doors.ts'

/** A pinned tool as a listing shows it. */
export interface Sighted {
  readonly tool: string
  readonly hash: string
  readonly definition: JsonObject
  readonly pinnedAt: number
  /** It is what it was pinned as, and the listing has it once. */
  readonly asPinned: boolean
}

/** Compares a listing with the pins; what is not pinned is not among the answers. */
export async function comparePins(
  listed: readonly Listed[],
  { tools }: CompiledServer,
): Promise<readonly Sighted[]> {
  const byEntry = Map.groupBy(listed, ({ entry }) => entry)
  const compared = [...byEntry].map(async ([tool, all]): Promise<Sighted[]> => {
    const [first, another] = all
    const known = tools.find(tool, null)
    // A pin is of the row's own name: what a template makes is not defined by what it makes.
    const pin = known?.row === tool ? known.pin : null
    if (first === undefined || pin === null) return []
    const { definition } = first
    const { hash, pinnedAt } = pin
    // Two definitions of one name: nobody can say which of them is meant.
    const asPinned =
      another === undefined && (await sha256(canonicalDefinition(definition))) === hash
    return [{ tool, hash, definition, pinnedAt, asPinned }]
  })
  return (await Promise.all(compared)).flat()
}

/** A tool that looked right so lately need not be noted again. */
const NOTED_WITHIN_MS = 60_000

/** Tells everybody what this listing showed. Failing to do so only means to look again. */
export async function noteListing(
  doors: Doors,
  tenant: string,
  server: string,
  sighted: readonly Sighted[],
  known: ReadonlyMap<string, Sighting>,
): Promise<void> {
  const now = Date.now()
  const news = sighted.filter(({ tool, asPinned, pinnedAt }) => {
    const last = known.get(tool)
    return asPinned ? now - (last?.matchedAt ?? 0) > NOTED_WITHIN_MS : !isKnown(last, pinnedAt, now)
  })
  const changed = news.filter(({ asPinned }) => !asPinned).map(({ tool }) => tool)
  const pinned =
    changed.length === 0
      ? new Map<string, string>()
      : await doors.sightings.pinned(tenant, server, changed)
  const notes = news.map((one): SightingNote => ({
    tool: one.tool,
    hash: one.hash,
    difference: one.asPinned ? null : differenceOf(pinned.get(one.tool), one.definition),
  }))
  await doors.sightings.note(tenant, server, notes)
}

/** INVARIANT: what a new pin forgot is noted again at once, however lately it was noted before. */
const isKnown = (last: Sighting | undefined, pinnedAt: number, now: number): boolean =>
  (last?.differedAt ?? 0) >= pinnedAt && now - (last?.differedAt ?? 0) <= NOTED_WITHIN_MS

function differenceOf(pinned: string | undefined, seen: JsonObject): readonly Difference[] {
  const read = pinned === undefined ? null : readJson(pinned)
  return read !== null && read.ok && isJsonObject(read.value) ? differences(read.value, seen) : []
}

/** For a listing of our own: a call waits for it. */
const LISTING_MS = 5_000

/**
 * Looks for itself, where nobody has listed these tools lately. What it saw is read with the facts,
 * by this call and by all others. False: it has looked often enough for now.
 */
export async function lookAgain(
  doors: Doors,
  tenant: string,
  server: CompiledServer,
): Promise<boolean> {
  if (!doors.ownListings.take(Date.now())) return false
  await look(doors, tenant, server)
  return true
}

/** Before it has to be: once a minute for each server and isolate. */
export async function lookAhead(
  doors: Doors,
  tenant: string,
  server: CompiledServer,
): Promise<void> {
  const now = Date.now()
  const last = doors.lookedAhead.get(server.facts.name) ?? 0
  if (now - last < LOOK_AHEAD_MS) return
  doors.lookedAhead.set(server.facts.name, now)
  await look(doors, tenant, server)
}

const LOOK_AHEAD_MS = 60_000

/** Only what rows speak of. */
const wanted = ({ tools }: CompiledServer): readonly Listing['method'][] => {
  const kinds = new Set(tools.rows.map(kindOf))
  return [
    ...(kinds.has('tool') ? ['tools/list' as const] : []),
    ...(kinds.has('prompt') ? ['prompts/list' as const] : []),
    ...(kinds.has('resource')
      ? ['resources/list' as const, 'resources/templates/list' as const]
      : []),
  ]
}

async function look(doors: Doors, tenant: string, server: CompiledServer): Promise<void> {
  const { name } = server.facts
  const ownFetch = doors.credentials.ownFetch(tenant, server)
  const options = { fetch: ownFetch, timeoutMs: LISTING_MS }
  const listed = await listCatalogue(server.url, options, wanted(server))
  if (!listed.ok) {
    console.warn('the tools of a server could not be listed', name, listed.error)
    return
  }
  try {
    const sighted = await comparePins(listed.value, server)
    await noteListing(doors, tenant, name, sighted, new Map())
  } catch (error) {
    console.warn('what a listing showed could not be noted', String(error))
  }
}
