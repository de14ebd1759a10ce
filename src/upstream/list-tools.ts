// All tools of an MCP server, as it lists them to Sallyport itself: to import them, and to see
// whether they are still what was pinned.
import { LATE, inTime } from '../in-time.ts'
import { isName } from '../mcp/names.ts'
import { quote } from '../mcp/quote.ts'
import { isJsonObject, type JsonObject } from '../mcp/value.ts'
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
 * The whole listing or an error in plain words, never a part of it: a tool that is missing here would
 * be taken for one that is gone. Nothing is thrown, and no error holds a credential.
 */
export async function listTools(
  endpoint: URL,
  options: ListOptions,
): Promise<Result<readonly JsonObject[], string>> {
  const startedAt = Date.now()
  const abort = new AbortController()
  const connection = new Connection({
    endpoint,
    fetch: options.fetch,
    headers: options.headers ?? {},
    signal: abort.signal,
    allowance: { message: MAX_MESSAGE_BYTES, left: MAX_BYTES },
  })
  const listing = openAndList(connection).catch(() => err('its answer broke off or is not UTF-8'))
  const listed = await inTime(listing, options.timeoutMs, LATE)
  abort.abort()
  if (listed === LATE) return err('it did not answer in time')
  const left = options.timeoutMs - (Date.now() - startedAt)
  await sayFarewell(connection, Math.min(left, FAREWELL_MS))
  return listed
}

async function openAndList(connection: Connection): Promise<Result<readonly JsonObject[], string>> {
  const opened = await connection.open()
  if (!opened.ok) return opened
  const tools = new Map<string, JsonObject>()
  const cursors = new Set<string>()
  let params: JsonObject = {}
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const result = await connection.ask('tools/list', params)
    if (!result.ok) return result
    const taken = takeTools(result.value, tools)
    if (!taken.ok) return taken
    // Some servers write the end as null.
    const cursor = result.value['nextCursor'] ?? null
    if (cursor === null) return ok([...tools.values()])
    if (typeof cursor !== 'string') return err('the cursor of a page is no text')
    if (cursors.has(cursor)) return err('a cursor came back: the listing would never end')
    cursors.add(cursor)
    params = { cursor }
  }
  return err(`the listing has more than ${MAX_PAGES} pages`)
}

/** All or an error: what a listing says about one name must be one thing. */
function takeTools(result: JsonObject, tools: Map<string, JsonObject>): Result<null, string> {
  const listed = result['tools']
  if (!Array.isArray(listed)) return err('`tools` is no list')
  for (const tool of listed) {
    const name = isJsonObject(tool) ? tool['name'] : undefined
    if (!isJsonObject(tool) || !isName(name)) return err('a tool of the listing has no usable name')
    if (tools.has(name)) return err(`two tools are named ${quote(name)}`)
    tools.set(name, tool)
  }
  return ok(null)
}

async function sayFarewell(connection: Connection, ms: number): Promise<void> {
  if (ms <= 0) return
  const abort = new AbortController()
  await inTime(connection.close(abort.signal), ms, LATE)
  abort.abort()
}
