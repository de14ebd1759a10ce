// All that an MCP server offers, as it lists it to Sallyport itself: to import it, and to see whether
// it is still what was pinned.
import { LATE, inTime } from '../in-time.ts'
import { ownName } from '../mcp/catalogue.ts'
import { LISTED, type Listed } from '../mcp/listing.ts'
import type { Listing } from '../mcp/operation.ts'
import { quote } from '../mcp/quote.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { Connection } from './connection.ts'

export interface ListOptions {
  readonly fetch: typeof fetch
  readonly headers?: Readonly<Record<string, string>>
  /** For everything together. */
  readonly timeoutMs: number
}

/** One message, as on the way of a call, and all pages together: they are held at the same time. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
const MAX_BYTES = 16 * 1024 * 1024
const MAX_PAGES = 100
/** A courtesy to the server must not delay the answer for long. */
const FAREWELL_MS = 500

/**
 * The whole listing or an error in plain words, never a part of it: what is missing here would be
 * taken for what is gone. Nothing is thrown, and no error holds a credential.
 */
export async function listTools(
  endpoint: URL,
  options: ListOptions,
): Promise<Result<readonly JsonObject[], string>> {
  const listed = await listCatalogue(endpoint, options, ['tools/list'])
  return listed.ok ? ok(listed.value.map(({ definition }) => definition)) : listed
}

/** What a server offers, as far as these listings tell. It is not asked for what it does not have. */
export async function listCatalogue(
  endpoint: URL,
  options: ListOptions,
  methods: readonly Listing['method'][],
): Promise<Result<readonly Listed[], string>> {
  const startedAt = Date.now()
  const abort = new AbortController()
  const connection = new Connection({
    endpoint,
    fetch: options.fetch,
    headers: options.headers ?? {},
    signal: abort.signal,
    allowance: { message: MAX_MESSAGE_BYTES, left: MAX_BYTES },
  })
  const listing = openAndList(connection, methods).catch(() =>
    err('its answer broke off or is not UTF-8'),
  )
  const listed = await inTime(listing, options.timeoutMs, LATE)
  abort.abort()
  if (listed === LATE) return err('it did not answer in time')
  const left = options.timeoutMs - (Date.now() - startedAt)
  await sayFarewell(connection, Math.min(left, FAREWELL_MS))
  return listed
}

async function openAndList(
  connection: Connection,
  methods: readonly Listing['method'][],
): Promise<Result<readonly Listed[], string>> {
  const opened = await connection.open()
  if (!opened.ok) return opened
  const listed: Listed[] = []
  for (const method of methods) {
    if (!connection.offers(CAPABILITY[method])) continue
    // One after the other: they share what may still be read.
    // oxlint-disable-next-line no-await-in-loop
    const own = await listAll(connection, method)
    if (!own.ok) return own
    listed.push(...own.value)
  }
  return ok(listed)
}

/** What a server declares that has this listing; null: it is asked anyway. */
const CAPABILITY: Readonly<Record<Listing['method'], string | null>> = {
  'tools/list': null,
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resources',
  'skills/list': 'resources',
}

async function listAll(
  connection: Connection,
  method: Listing['method'],
): Promise<Result<readonly Listed[], string>> {
  const listed = new Map<string, Listed>()
  const cursors = new Set<string>()
  let params: JsonObject = {}
  for (let page = 0; page < MAX_PAGES; page += 1) {
    // oxlint-disable-next-line no-await-in-loop
    const result = await connection.ask(method, params)
    if (!result.ok) return result
    const taken = take(method, result.value, listed)
    if (!taken.ok) return taken
    // Some servers write the end as null.
    const cursor = result.value['nextCursor'] ?? null
    if (cursor === null) return ok([...listed.values()])
    if (typeof cursor !== 'string') return err('the cursor of a page is no text')
    if (cursors.has(cursor)) return err('a cursor came back: the listing would never end')
    cursors.add(cursor)
    params = { cursor }
  }
  return err(`the listing has more than ${MAX_PAGES} pages`)
}

/** All or an error: what a listing says about one name must be one thing. */
function take(
  method: Listing['method'],
  result: JsonObject,
  listed: Map<string, Listed>,
): Result<null, string> {
  const { member, noun, entryOf } = LISTED[method]
  const list = result[member]
  if (!Array.isArray(list)) return err(`\`${member}\` is no list`)
  for (const definition of list as readonly JsonValue[]) {
    const entry = isJsonObject(definition) ? entryOf(definition) : null
    if (!isJsonObject(definition) || entry === null) {
      return err(`a ${noun} of the listing has no usable name`)
    }
    if (listed.has(entry)) return err(`two ${noun}s are named ${quote(ownName(entry))}`)
    listed.set(entry, { entry, definition })
  }
  return ok(null)
}

async function sayFarewell(connection: Connection, ms: number): Promise<void> {
  if (ms <= 0) return
  const abort = new AbortController()
  await inTime(connection.close(abort.signal), ms, LATE)
  abort.abort()
}
