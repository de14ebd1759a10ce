// Pure. The protocol revisions that are enforced, by era, and the reserved `_meta` keys
// (MCP 2026-07-28, basic/versioning and basic/index).
import type { Era } from './refusal.ts'

/** Newest first. A revision that is not listed is not enforced, so it is not spoken. */
export const VERSIONS = {
  modern: ['2026-07-28'],
  legacy: ['2025-11-25', '2025-06-18', '2025-03-26'],
} as const satisfies Record<Era, readonly string[]>

/** Keys of a request's `_meta`. The first one makes a message modern. */
export const META = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
} as const

export function speaks(era: Era, version: string): boolean {
  const versions: readonly string[] = VERSIONS[era]
  return versions.includes(version)
}

/** Skills of a server, which are resources (SEP-2640). */
export const SKILLS_EXTENSION = 'io.modelcontextprotocol/skills'

/** The extension that has tasks since 2026-07-28. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'
