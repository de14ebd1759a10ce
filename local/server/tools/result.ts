import type { CallToolResult } from '@modelcontextprotocol/server'

/** Structured content, and the same as text for clients that read only text. */
export function structured(content: Record<string, unknown>): CallToolResult {
  return {
    content: [{ type: 'text', text: JSON.stringify(content) }],
    structuredContent: content,
  }
}

/** A failure that the model can correct is a result, not a protocol error. */
export function failed(message: string): CallToolResult {
  return { content: [{ type: 'text', text: message }], isError: true }
}
