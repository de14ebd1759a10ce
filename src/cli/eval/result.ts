// A recorded result as an MCP server would have sent it. Traces hold what a framework printed: YAML,
// Python literals, a printed result object. Reading those is this file's business alone: Sallyport
// itself reads structured content and text that is JSON.
import { parse as parseYaml } from 'yaml'
import { isJsonObject, type JsonValue } from '../../mcp/value.ts'
import type { ReadableResult } from '../../pdp/provenance/fields.ts'
import { leadingLiteral, pythonLiteral } from './literal.ts'

/** A longer text is not parsed: it has no fields. */
const LARGEST = 4_000_000

export function readResult(text: string): ReadableResult {
  const trimmed = text.length <= LARGEST ? text.trim() : ''
  const printed = PRINTED.exec(trimmed)
  return printed === null
    ? { structured: structured(trimmed), text }
    : { structured: insidePrinted(trimmed.slice(printed[0].length)), text }
}

const PRINTED = /^meta=None content=\[TextContent\(type='text', text=/

function structured(text: string): JsonValue | undefined {
  if (/^[[{]/.test(text)) return json(text) ?? pythonLiteral(text) ?? yaml(text)
  return /^(?:- |[\w' ]+:)/.test(text) ? yaml(text) : undefined
}

/** The tool's own result object, as JSON inside the text of the printed one. */
function insidePrinted(text: string): JsonValue | undefined {
  const inner = leadingLiteral(text)
  const result = typeof inner === 'string' ? json(inner) : undefined
  if (!isJsonObject(result)) return undefined
  const { structuredContent, content } = result
  if (structuredContent !== undefined && structuredContent !== null) return structuredContent
  const blocks: readonly JsonValue[] = Array.isArray(content) ? content : []
  const parts = blocks.flatMap((block): JsonValue[] => {
    const part =
      isJsonObject(block) && typeof block['text'] === 'string' ? json(block['text']) : null
    return typeof part === 'object' && part !== null ? [part] : []
  })
  return parts.length === 0 ? undefined : parts
}

function json(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}

/** In the failsafe schema every scalar is a text, so that identifiers and dates stay as written. */
function yaml(text: string): JsonValue | undefined {
  try {
    const value = parseYaml(text, {
      schema: 'failsafe',
      version: '1.1',
      logLevel: 'error',
      uniqueKeys: false,
      // Aliases would let a small text become a large one.
      maxAliasCount: 0,
    }) as JsonValue
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
