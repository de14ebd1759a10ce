// Pure. What may be a name: of a method, of a tool, of a version.

/** MCP asks for at most 128 characters in a tool's name (2025-11-25, server/tools); some have more. */
export const MAX_NAME_LENGTH = 256

/** Names end up in headers, logs, records and consoles: no controls, and an end. */
export function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= MAX_NAME_LENGTH &&
    !/\p{Cc}/u.test(value)
  )
}
