// Pure. Which era a message belongs to. The body decides: a protocol version in its `_meta` makes
// it modern (MCP 2026-07-28, basic/versioning); the header can only agree or be refused.
import { err, ok, type Result } from '../result.ts'
import { checkNoCopies, fieldValue, mismatch, type MessageHeaders } from './headers.ts'
import type { Message } from './message.ts'
import { isName } from './names.ts'
import { quote } from './quote.ts'
import type { Era, MessageRefusal } from './refusal.ts'
import { isJsonObject, type JsonObject } from './value.ts'
import { META, speaks, VERSIONS } from './versions.ts'

/** What a message claims to be. */
export interface Claim {
  readonly era: Era
  /** null where a legacy message claims none. */
  readonly version: string | null
}

const VERSION_HEADER = 'MCP-Protocol-Version'

/** The era alone, for the form of an error: what the body claims, else what the header claims. */
export function eraOf(message: Message | null, headers: MessageHeaders): Era {
  if (message !== null && META.protocolVersion in metaOf(message)) return 'modern'
  const version = fieldValue(headers.protocolVersion)
  return version !== null && speaks('modern', version) ? 'modern' : 'legacy'
}

/** Era, version, envelope, version header: in the order in which SDK v2 servers check them. */
export function readClaim(
  message: Message,
  headers: MessageHeaders,
): Result<Claim, MessageRefusal> {
  const { params } = message
  if (params !== null && '_meta' in params && !isJsonObject(params['_meta'])) {
    return err({ at: 'understand', reason: 'params_invalid', detail: '`_meta` must be an object' })
  }
  const meta = metaOf(message)
  const header = fieldValue(headers.protocolVersion)
  return META.protocolVersion in meta
    ? readModern(message, meta, header)
    : readLegacy(message, header)
}

function readModern(
  message: Message,
  meta: JsonObject,
  header: string | null,
): Result<Claim, MessageRefusal> {
  const version = meta[META.protocolVersion]
  if (!isName(version)) return incomplete(META.protocolVersion)
  if (header !== null && header !== version) {
    return err(mismatch(VERSION_HEADER, 'is not the version of the body'))
  }
  if (!speaks('modern', version)) return unsupported(version, 'modern')
  if (message.kind === 'notification') return ok({ era: 'modern', version })
  if (!isJsonObject(meta[META.clientCapabilities])) return incomplete(META.clientCapabilities)
  if (header === null) return err(mismatch(VERSION_HEADER, 'missing'))
  return ok({ era: 'modern', version })
}

function readLegacy(message: Message, header: string | null): Result<Claim, MessageRefusal> {
  if (header === null) return ok({ era: 'legacy', version: null })
  if (speaks('legacy', header)) return ok({ era: 'legacy', version: header })
  if (!speaks('modern', header)) return unsupported(header, 'legacy')
  // A modern header on a legacy body is never read as legacy: one peer would take it for modern.
  return message.method === 'initialize'
    ? err(mismatch(VERSION_HEADER, `\`initialize\` is not part of ${quote(header)}`))
    : incomplete(META.protocolVersion)
}

/**
 * Of a message that has no method to say more: a legacy one must not claim a version that nobody speaks,
 * and its headers have nothing to copy.
 */
export function readVersionHeader(headers: MessageHeaders): Result<Claim, MessageRefusal> {
  const copied = checkNoCopies(headers)
  if (copied !== null) return err(copied)
  const version = fieldValue(headers.protocolVersion)
  if (version === null || speaks('legacy', version)) return ok({ era: 'legacy', version })
  return speaks('modern', version) ? ok({ era: 'modern', version }) : unsupported(version, 'legacy')
}

const NONE: JsonObject = Object.freeze(Object.create(null))

function metaOf(message: Message): JsonObject {
  const meta = message.params?.['_meta']
  return isJsonObject(meta) ? meta : NONE
}

const incomplete = (missing: string) =>
  err({ at: 'understand', reason: 'envelope_incomplete', missing } as const)

/** The list is of the era that was claimed: it is what the sender could say instead. */
const unsupported = (version: string, era: Era) =>
  err({
    at: 'understand',
    reason: 'version_unsupported',
    requested: version.slice(0, 64),
    supported: VERSIONS[era],
  } as const)
