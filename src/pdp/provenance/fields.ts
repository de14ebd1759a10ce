// Pure. What a result holds, for rules on origins: whole fields, and never a part of one. Whoever
// writes a body or a title writes any word into it; whoever fills a field fills that field.
import { InexactNumber, isJsonObject, type JsonValue } from '../../mcp/value.ts'
import { canon } from './canon.ts'
import { mentionsIn } from './mentions.ts'
import { skeletonOf } from './skeleton.ts'

/** A row of `tool_origins`. Its pointer is RFC 6901 with two more segments: `*` for every element of a
 * list, and `~*`, as the last, for every member name of an object. Of a text that is no JSON, `/*`
 * stands for each of its lines. */
export interface OriginRow {
  readonly pointer: string
  readonly resourceType: string | null
  readonly authority: 'system' | 'listed' | 'claimed'
}

export interface FoundText {
  readonly type: string | null
  readonly authority: OriginRow['authority']
  readonly text: string
}

export interface Found {
  readonly listed: readonly FoundText[]
  /** Canonical, each once. */
  readonly fields: readonly string[]
  readonly mentions: readonly string[]
  /** Each of these that has another skeleton, with it (skeleton.ts); absent: none has. */
  readonly alike?: readonly (readonly [text: string, skeleton: string])[]
  /** More than is read. */
  readonly overflow: boolean
}

export const DEEPEST = 32
export const MOST_LEAVES = 4_096
export const LONGEST_FIELD = 80

/** Under these names people write sentences. */
export const FREE_TEXT_KEYS: ReadonlySet<string> = new Set(
  `body content description subject title location feedback text message summary snippet comment note
  notes`.split(/\s+/),
)

/** A result as far as it is read: what is structured, and all text of it. */
export interface ReadableResult {
  /** Structured content, or the text blocks that are JSON; undefined where there is neither. */
  readonly structured: JsonValue | undefined
  readonly text: string
}

export function findOrigins(
  { structured, text }: ReadableResult,
  rows: readonly OriginRow[],
  freeTextKeys: ReadonlySet<string> = FREE_TEXT_KEYS,
): Found {
  const reader = new Reader(rows, freeTextKeys)
  if (structured === undefined) reader.readLines(text)
  else reader.read(structured, '', '', 0)
  const { addresses, overflow } = mentionsIn(text)
  // INVARIANT: of a structure that is not read to its end nothing is an origin.
  const listed = reader.overflow ? [] : reader.listed
  const fields = reader.overflow ? [] : [...reader.fields]
  return {
    listed,
    fields,
    mentions: addresses,
    alike: skeletonsOf([...listed.map((one) => one.text), ...fields, ...addresses]),
    overflow: overflow || reader.overflow,
  }
}

const skeletonsOf = (texts: readonly string[]): (readonly [string, string])[] =>
  [...new Set(texts)].flatMap((text) => {
    const skeleton = skeletonOf(text)
    return skeleton === text ? [] : [[text, skeleton] as const]
  })

class Reader {
  readonly listed: FoundText[] = []
  readonly fields = new Set<string>()
  overflow = false
  #leaves = 0
  readonly #rows: ReadonlyMap<string, readonly OriginRow[]>
  readonly #freeTextKeys: ReadonlySet<string>

  constructor(rows: readonly OriginRow[], freeTextKeys: ReadonlySet<string>) {
    this.#rows = Map.groupBy(rows, ({ pointer }) => pointer)
    this.#freeTextKeys = freeTextKeys
  }

  /** `key` is the nearest member name, which a list gives to its elements. */
  read(value: JsonValue, pointer: string, key: string, depth: number): void {
    if (value === null || this.overflow) return
    if (depth > DEEPEST || this.#leaves >= MOST_LEAVES) {
      this.overflow = true
      return
    }
    if (Array.isArray(value)) {
      for (const one of value as readonly JsonValue[])
        this.read(one, `${pointer}/*`, key, depth + 1)
      return
    }
    if (isJsonObject(value)) {
      for (const [name, one] of Object.entries(value)) {
        this.#list(name, `${pointer}/~*`)
        this.read(one, `${pointer}/${escaped(name)}`, name, depth + 1)
      }
      return
    }
    const text = value instanceof InexactNumber ? value.text : String(value as string)
    this.#leaves += 1
    if (!this.#freeTextKeys.has(key.toLowerCase())) this.#note(text)
    this.#list(text, pointer)
  }

  /** One word may be all of an answer; a list of lines only where a row says that it is one. */
  readLines(text: string): void {
    const word = text.trim()
    if (/^\S{1,80}$/.test(word)) {
      this.#note(word)
      this.#list(word, '/*')
      return
    }
    if (!this.#rows.has('/*')) return
    for (const line of text.split('\n')) {
      this.#leaves += 1
      if (this.#leaves > MOST_LEAVES) this.overflow = true
      if (this.overflow) return
      // `Hotels in Rome: Bella Vista`: what introduces the list is no part of its first line.
      const colon = line.indexOf(': ')
      const item = colon > 0 && colon <= 60 ? line.slice(colon + 2) : line
      this.#note(item)
      this.#list(item, '/*')
    }
  }

  #note(text: string): void {
    if (isWhole(text)) this.fields.add(canon(text))
  }

  #list(text: string, pointer: string): void {
    const rows = this.#rows.get(pointer)
    if (rows === undefined || !isWhole(text)) return
    for (const { resourceType: type, authority } of rows) {
      this.listed.push({ type, authority, text: canon(text) })
    }
  }
}

const isWhole = (text: string): boolean =>
  text.length <= LONGEST_FIELD && !text.includes('\n') && text.trim() !== ''

/** RFC 6901 §3. */
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')
