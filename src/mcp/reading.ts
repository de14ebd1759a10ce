// Pure. What one message of an upstream says, as far as rules over history look at it: what is
// structured in it, all of its text, and how many rows it may hold at most.
import { readJson } from './json.ts'
import { inBlocksOfContent } from './result-parts.ts'
import { rowsIn, rowsOfText, type Block } from './rows.ts'
import { InexactNumber, isJsonObject, type JsonObject, type JsonValue } from './value.ts'

export interface Reading {
  /** undefined: nothing in it is. null: it is of a kind that lists nothing, such as an error. */
  readonly structured: JsonValue | undefined
  readonly text: string
  /** null: more than can be told. */
  readonly rows: number | null
  /** Something in it was not read. */
  readonly partial: boolean
}

/** More letters than these are not read. */
export const MAX_READ = 1024 * 1024
const DEEPEST = 32
const MOST_LEAVES = 4_096

const NOT_READ: Reading = { structured: undefined, text: '', rows: null, partial: true }

/** `letters`: of the whole message, as it was sent. */
export function readResult(said: JsonObject, letters: number): Reading {
  if (letters > MAX_READ) return NOT_READ
  const result = inBlocksOfContent(said)
  const { structuredContent, content } = result
  const blocks = Array.isArray(content) ? (content as readonly JsonValue[]) : []
  const texts = blocks.map(textOf)
  const parsed = texts.map((text) => (text === null ? undefined : asJson(text)))
  const isJson = parsed.length > 0 && parsed.every((value) => value !== undefined)
  // Several blocks of JSON are the elements of one list.
  const inBlocks = isJson ? (parsed.length === 1 ? parsed[0] : (parsed as JsonValue[])) : undefined
  const structured = structuredContent ?? inBlocks
  const own = texts.filter((text) => text !== null).join('\n')
  // Whatever else a result carries is text as well (`_meta`, members that nobody knows).
  const text = structured === undefined && hasNothingElse(result, blocks) ? own : textIn(result)
  if (text === null) return NOT_READ
  const isWhole = texts.every((one) => one !== null)
  const read = blocks.map((block, at): Block => ({
    block,
    text: texts[at] ?? '',
    json: parsed[at],
  }))
  const rows = isWhole ? rowsIn(result, read) : null
  // INVARIANT: what repeats a value to say that it is wrong does not vouch for it.
  const listing = result['isError'] === true ? null : structured
  return { structured: listing, text, rows, partial: !isWhole }
}

/** Then the text of its blocks is all there is, and one word of it may be all of an answer. */
const hasNothingElse = (result: JsonObject, blocks: readonly JsonValue[]): boolean =>
  Object.entries(result).every(
    ([name, value]) => name === 'content' || name === 'resultType' || isFlag(name, value),
  ) &&
  blocks.every((block) => isJsonObject(block) && 'text' in block && Object.keys(block).length === 2)

const isFlag = (name: string, value: JsonValue): boolean =>
  name === 'isError' && typeof value === 'boolean'

/** An error, progress or a log: structured in no way that a row could speak of. */
export function readOther(message: JsonObject, letters: number): Reading {
  const text = letters > MAX_READ ? null : textIn(message)
  if (text === null) return NOT_READ
  return { structured: null, text, rows: rowsOfText(text), partial: false }
}

/** The text of a block; null where it is none. */
function textOf(block: JsonValue): string | null {
  if (!isJsonObject(block)) return null
  if (block['type'] === 'text') return typeof block['text'] === 'string' ? block['text'] : null
  if (block['type'] === 'resource_link') return textIn(block)
  const { resource } = block
  return block['type'] === 'resource' &&
    isJsonObject(resource) &&
    typeof resource['text'] === 'string'
    ? resource['text']
    : null
}

function asJson(text: string): JsonValue | undefined {
  const read = readJson(text)
  if (!read.ok) return undefined
  return isJsonObject(read.value) || Array.isArray(read.value) ? read.value : undefined
}

/** Every text and every name in it, one a line; null: more than is read. */
function textIn(root: JsonValue): string | null {
  const found: string[] = []
  return collect(root, found, 0) ? found.join('\n') : null
}

function collect(value: JsonValue, found: string[], depth: number): boolean {
  if (value === null || typeof value === 'boolean') return true
  if (depth > DEEPEST || found.length > MOST_LEAVES * 2) return false
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[]).every((one) => collect(one, found, depth + 1))
  }
  if (isJsonObject(value)) {
    return Object.entries(value).every(([name, one]) => {
      found.push(name)
      return collect(one, found, depth + 1)
    })
  }
  found.push(value instanceof InexactNumber ? value.text : String(value as string | number))
  return true
}
