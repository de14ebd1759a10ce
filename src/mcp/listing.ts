// Pure. What a client is shown of a listing or an introduction. Hiding is courtesy, not protection:
// a hidden tool is denied when it is called.
import { isName } from './names.ts'
import type { Era } from './refusal.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './value.ts'
import { VERSIONS } from './versions.ts'

/** How long a client may act on a listing after the policy behind it has changed. */
export const MAX_LISTING_TTL_MS = 5_000

/** The result of `tools/list`, with only the tools that may be called. */
export function filterTools(
  result: JsonObject,
  mayCall: (tool: string) => boolean,
  era: Era,
): JsonObject {
  const listed = result['tools']
  const tools = Array.isArray(listed) ? listed : []
  const counts = new Map<string, number>()
  for (const tool of tools) {
    const name = nameOf(tool)
    if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const shown = tools.filter((tool) => {
    const name = nameOf(tool)
    // Two definitions of one name: nobody can say which of them is called.
    return name !== null && counts.get(name) === 1 && mayCall(name)
  })
  return withMembers(result, { tools: shown, ...cacheHints(result, era) })
}

/** The result of `initialize` or `server/discover`, naming only what is passed on. */
export function filterCapabilities(result: JsonObject, era: Era): JsonObject {
  const declared = result['capabilities']
  // `{}`: tools without `listChanged`, as no such notification is passed on.
  const capabilities =
    isJsonObject(declared) && isJsonObject(declared['tools']) ? { tools: {} } : {}
  return withMembers(result, {
    capabilities,
    ...(era === 'modern' ? { supportedVersions: enforced(result['supportedVersions']) } : {}),
    ...cacheHints(result, era),
  })
}

/** A client must find no version here that would be refused when it is spoken (server/discover). */
function enforced(versions: JsonValue | undefined): JsonValue {
  const known: readonly string[] = [...VERSIONS.modern, ...VERSIONS.legacy]
  return Array.isArray(versions)
    ? versions.filter((version) => typeof version === 'string' && known.includes(version))
    : []
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

function nameOf(tool: JsonValue): string | null {
  const name = isJsonObject(tool) ? tool['name'] : undefined
  return isName(name) ? name : null
}

const withMembers = (object: JsonObject, members: JsonObject): JsonObject =>
  Object.assign(Object.create(null), object, members)
