// Pure. The parameters that a tool's input schema (JSON Schema 2020-12) declares, by pointer.
import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'

export interface Parameter {
  /** RFC 6901, where `*` stands for every element of a list. */
  readonly pointer: string
  /** The nearest member name, which a list gives to its elements. */
  readonly name: string
  readonly schema: JsonObject
}

/** A server chooses its schemas, and may make them circular. */
const DEEPEST = 8
const MOST_PARAMETERS = 200
const MOST_SCHEMAS = 2_000
/** As the column holds it. */
const LONGEST_POINTER = 200

/** Leaves, and objects that declare no members of their own. */
export function parametersOf(inputSchema: JsonValue | undefined): Parameter[] {
  if (!isJsonObject(inputSchema)) return []
  const walk = new Walk(inputSchema)
  walk.enter(inputSchema, '', '', 0)
  return [...walk.found.values()]
}

class Walk {
  readonly found = new Map<string, Parameter>()
  readonly #root: JsonObject
  #schemas = MOST_SCHEMAS

  constructor(root: JsonObject) {
    this.#root = root
  }

  enter(schema: JsonValue | undefined, pointer: string, name: string, depth: number): void {
    this.#schemas -= 1
    if (this.#spent || !isJsonObject(schema)) return
    if (depth > DEEPEST || pointer.length > LONGEST_POINTER) return
    // Only within the document: nothing is ever fetched (MCP 2025-11-25, server/tools).
    const target = this.#resolve(schema['$ref'])
    if (target !== null) this.enter(target, pointer, name, depth + 1)
    const { allOf, anyOf, oneOf, properties, items, prefixItems } = schema
    for (const inner of [...listOf(allOf), ...listOf(anyOf), ...listOf(oneOf)]) {
      this.enter(inner, pointer, name, depth + 1)
      if (this.#spent) return
    }
    for (const member of isJsonObject(properties) ? Object.keys(properties) : []) {
      const inner = isJsonObject(properties) ? properties[member] : undefined
      this.enter(inner, `${pointer}/${escaped(member)}`, member, depth + 1)
      if (this.#spent) return
    }
    for (const inner of [items, ...listOf(prefixItems)]) {
      this.enter(inner, `${pointer}/*`, name, depth + 1)
      if (this.#spent) return
    }
    if (pointer !== '' && isLeaf(schema)) this.#note({ pointer, name, schema })
  }

  get #spent(): boolean {
    return this.#schemas < 0 || this.found.size >= MOST_PARAMETERS
  }

  /** Of several schemas for one place the first counts that says more than its type. */
  #note(parameter: Parameter): void {
    const known = this.found.get(parameter.pointer)
    if (known === undefined || 'enum' in known.schema || 'const' in known.schema) {
      this.found.set(parameter.pointer, parameter)
    }
  }

  #resolve(reference: JsonValue | undefined): JsonValue | null {
    if (typeof reference !== 'string' || !reference.startsWith('#/')) return null
    let at: JsonValue | undefined = this.#root
    for (const segment of reference.slice(2).split('/')) {
      const name = segment.replaceAll('~1', '/').replaceAll('~0', '~')
      at = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
    }
    return at ?? null
  }
}

const STRUCTURE = ['properties', 'items', 'prefixItems', '$ref', 'allOf', 'anyOf', 'oneOf']

const isLeaf = (schema: JsonObject): boolean =>
  !STRUCTURE.some((keyword) => keyword in schema) ||
  // `{"type": ["string", "array"], "items": …}` may be the text itself.
  typesOf(schema).some((type) => type === 'string' || type === 'integer')

/** Empty where the schema does not say. */
export function typesOf(schema: JsonObject): readonly JsonValue[] {
  const { type } = schema
  return type === undefined ? [] : Array.isArray(type) ? type : [type as JsonValue]
}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] =>
  Array.isArray(value) ? value : []

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')
