// Pure. What a client is shown of a listing or an introduction. Hiding is courtesy, not protection:
// what is hidden is denied when it is asked for.
import { kindOf, ownName, promptEntry, resourceEntry, toolEntry, type Kind } from './catalogue.ts'
import { isText } from './methods/row.ts'
import { isName } from './names.ts'
import type { Call, Listing } from './operation.ts'
import type { Era } from './refusal.ts'
import { expanded, isTemplate } from './template.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './value.ts'
import { SKILLS_EXTENSION, TASKS_EXTENSION, VERSIONS } from './versions.ts'

/** How long a client may act on a listing after the policy behind it has changed. */
export const MAX_LISTING_TTL_MS = 5_000

interface ListingRow {
  /** The member of the result that holds the list. */
  readonly member: string
  /** What one of its elements is, for people. */
  readonly noun: string
  /** Under which name the rows speak of one of its elements; null: they cannot, and it is hidden. */
  readonly entryOf: (listed: JsonObject) => string | null
  /** It says of an entry something else than what is pinned. */
  readonly describes?: true
}

/** Adding a listing without a row here does not compile. */
export const LISTED: { readonly [M in Listing['method']]: ListingRow } = {
  'tools/list': {
    member: 'tools',
    noun: 'tool',
    entryOf: ({ name }) => (isName(name) ? toolEntry(name) : null),
  },
  'prompts/list': {
    member: 'prompts',
    noun: 'prompt',
    entryOf: ({ name }) => (isName(name) ? promptEntry(name) : null),
  },
  'resources/list': {
    member: 'resources',
    noun: 'resource',
    entryOf: entryOfResource,
  },
  'resources/templates/list': {
    member: 'resourceTemplates',
    noun: 'resource template',
    entryOf: ({ uriTemplate }) => (isText(uriTemplate) ? resourceEntry(uriTemplate) : null),
  },
  'skills/list': { member: 'skills', noun: 'skill', entryOf: entryOfResource, describes: true },
}

function entryOfResource({ uri }: JsonObject): string | null {
  return isText(uri) ? resourceEntry(uri) : null
}

/** One element of a listing, by its name in the catalogue. */
export interface Listed {
  readonly entry: string
  readonly definition: JsonObject
}

/** Of which entry of a kind something is the definition; null: of none. */
export function entryDefined(kind: Kind, definition: JsonObject): string | null {
  switch (kind) {
    case 'tool':
      return LISTED['tools/list'].entryOf(definition)
    case 'prompt':
      return LISTED['prompts/list'].entryOf(definition)
    case 'resource':
      return (
        LISTED['resources/list'].entryOf(definition) ??
        LISTED['resources/templates/list'].entryOf(definition)
      )
    // Nobody lists what a client can be asked for.
    case 'client':
      return null
  }
}

/** What a result lists, as far as rows could speak of it. */
export const listedIn = (method: Listing['method'], result: JsonObject): readonly Listed[] => {
  const { member, entryOf } = LISTED[method]
  const list = result[member]
  return (Array.isArray(list) ? (list as readonly JsonValue[]) : []).flatMap((definition) => {
    const entry = isJsonObject(definition) ? entryOf(definition) : null
    return isJsonObject(definition) && entry !== null ? [{ entry, definition }] : []
  })
}

/** The result of a listing, with only what may be used. Its cursor is the server's own, and goes on. */
export function filterListing(
  method: Listing['method'],
  result: JsonObject,
  maySee: (entry: string) => boolean,
  era: Era,
): JsonObject {
  const counts = new Map<string, number>()
  const listed = listedIn(method, result)
  for (const { entry } of listed) counts.set(entry, (counts.get(entry) ?? 0) + 1)
  const shown = listed.flatMap(({ entry, definition }) =>
    // Two definitions of one name: nobody can say which of them is meant.
    counts.get(entry) === 1 && maySee(entry)
      ? [method === 'skills/list' ? withOwnResources(definition, maySee) : definition]
      : [],
  )
  const { member } = LISTED[method]
  return withMembers(asKnown(result, member), { [member]: shown, ...cacheHints(result, era) })
}

/** What a listing says besides its list. */
const BESIDE_A_LIST = ['resultType', 'nextCursor', '_meta']

/**
 * INVARIANT: what was not looked at is not in a listing: a client could take it for more of the list
 * (`Tools`), and a count tells of what is hidden.
 */
const asKnown = (result: JsonObject, member: string): JsonObject =>
  pick(result, [...BESIDE_A_LIST, member])

/** The result of a directory's listing. */
export const filterDirectory = (
  result: JsonObject,
  maySee: (entry: string) => boolean,
  era: Era,
): JsonObject => asPrivate(withOwnResources(asKnown(result, 'resources'), maySee), era)

/** Of a template no more than this is looked at (MCP 2025-11-25, server/utilities/completion). */
const MOST_COMPLETIONS = 100

/**
 * The result of a completion: of a template only values of which it makes something that this actor
 * could be allowed. How many there are in all would tell of the others.
 */
export function filterCompletion(
  { entry, arguments: given, completes }: Call,
  result: JsonObject,
  maySee: (entry: string) => boolean,
): JsonObject {
  const { completion } = result
  const template = ownName(entry)
  if (kindOf(entry) !== 'resource' || completes === null || !isTemplate(template)) return result
  if (!isJsonObject(completion)) return asKnown(result, '')
  const { values, hasMore } = completion
  const all = Array.isArray(values) ? (values as readonly JsonValue[]) : []
  const shown = all
    .filter((value) => typeof value === 'string')
    .slice(0, MOST_COMPLETIONS)
    .filter((value) => maySee(resourceEntry(expanded(template, { ...given, [completes]: value }))))
  return withMembers(asKnown(result, 'completion'), {
    completion: { values: shown, ...(hasMore === undefined ? {} : { hasMore }) },
  })
}

/** A skill or a directory, with only what this actor could be allowed of its resources. */
export function withOwnResources(
  whole: JsonObject,
  maySee: (entry: string) => boolean,
): JsonObject {
  const { resources } = whole
  if (resources === undefined) return whole
  const all = Array.isArray(resources) ? (resources as readonly JsonValue[]) : []
  const own = all.filter((one) => {
    const entry = isJsonObject(one) ? entryOfResource(one) : null
    return entry !== null && maySee(entry)
  })
  return withMembers(whole, { resources: own })
}

/** Which members of a capability are passed on; what has no row is not. */
const CAPABILITIES: Readonly<Record<string, readonly string[]>> = {
  tools: ['listChanged'],
  prompts: ['listChanged'],
  resources: ['subscribe', 'listChanged'],
  completions: [],
  logging: [],
  tasks: ['list', 'cancel', 'requests'],
}

/** Extensions that are passed on, by era: tasks were in the core before. */
const EXTENSIONS: Readonly<Record<Era, Readonly<Record<string, readonly string[]>>>> = {
  legacy: { [SKILLS_EXTENSION]: ['directoryRead'] },
  modern: { [TASKS_EXTENSION]: [], [SKILLS_EXTENSION]: ['directoryRead'] },
}

/** The result of `initialize` or `server/discover`, naming only what is passed on. */
export function filterCapabilities(result: JsonObject, era: Era): JsonObject {
  const declared = result['capabilities']
  const capabilities = isJsonObject(declared) ? passedOn(declared, era) : {}
  return withMembers(result, {
    capabilities,
    ...(era === 'modern' ? { supportedVersions: enforced(result['supportedVersions']) } : {}),
    ...cacheHints(result, era),
  })
}

function passedOn(declared: JsonObject, era: Era): JsonObject {
  const known = Object.entries(CAPABILITIES).flatMap(([name, members]) => {
    const own = declared[name]
    // Tasks are an extension in the modern era.
    if (!isJsonObject(own) || (name === 'tasks' && era === 'modern')) return []
    return [[name, pick(own, members)] as const]
  })
  const all = declared['extensions']
  if (!isJsonObject(all)) return Object.fromEntries(known)
  const extensions = Object.entries(EXTENSIONS[era]).flatMap(([name, members]) => {
    const own = all[name]
    if (!isJsonObject(own)) return []
    return [[name, pick(own, members)] as const]
  })
  return {
    ...Object.fromEntries(known),
    ...(extensions.length === 0 ? {} : { extensions: Object.fromEntries(extensions) }),
  }
}

const pick = (object: JsonObject, members: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([member]) => members.includes(member)))

/** A client must find no version here that would be refused when it is spoken (server/discover). */
function enforced(versions: JsonValue | undefined): JsonValue {
  const known: readonly string[] = [...VERSIONS.modern, ...VERSIONS.legacy]
  return Array.isArray(versions)
    ? versions.filter((version) => typeof version === 'string' && known.includes(version))
    : []
}

/** What was read is of one caller too, whatever the server says of who may keep it. */
export function asPrivate(result: JsonObject, era: Era): JsonObject {
  return withMembers(result, cacheHints(result, era))
}

/** The result of `tasks/list`, with only the tasks that this actor made. */
export const filterTasks = (result: JsonObject, isOwn: (taskId: string) => boolean): JsonObject => {
  const { tasks } = result
  const own = (Array.isArray(tasks) ? (tasks as readonly JsonValue[]) : []).filter(
    (task) => isJsonObject(task) && typeof task['taskId'] === 'string' && isOwn(task['taskId']),
  )
  return withMembers(asKnown(result, 'tasks'), { tasks: own })
}

/** What differs by caller is private to one token (MCP 2026-07-28, server/utilities/caching). */
function cacheHints(result: JsonObject, era: Era): JsonObject {
  if (era === 'legacy') return {}
  const ttl = result['ttlMs']
  const ttlMs =
    typeof ttl === 'number' && ttl >= 0
      ? Math.min(Math.floor(ttl), MAX_LISTING_TTL_MS)
      : MAX_LISTING_TTL_MS
  return { cacheScope: 'private', ttlMs }
}

const withMembers = (object: JsonObject, members: JsonObject): JsonObject =>
  Object.assign(Object.create(null), object, members)
