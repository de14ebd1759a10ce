// What is sealed in a token that tells a server to end a task: that Sallyport itself says so.
import { canonical } from '../../mcp/canonical.ts'
import { readJson } from '../../mcp/json.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'
import type { CallContext } from './context.ts'
import type { MessageDetail } from './digest.ts'
import type { SealingKeys } from './own-keys.ts'
import { seal, unseal } from './sealed.ts'

const VERSION = 1
export const ENDING_METHOD = 'tasks/cancel'

export const sealEnding = (
  { actor, server }: CallContext,
  detail: MessageDetail,
  keys: SealingKeys,
): Promise<string> =>
  seal('ending', JSON.stringify({ version: VERSION, tenant: actor.tenant, server, detail }), keys)

/**
 * Whether a token of ours ends a task at this server. Such a one holds by itself: what its task was
 * started under is gone, and that is why it was made.
 *
 * INVARIANT: only for the one message that was sealed in it, and that is the end of a task: with any
 * other word of authority in its claims it is worth nothing.
 */
export async function endsTask(
  { sealed, authorization_details: details }: JsonObject,
  at: { readonly tenant: string; readonly server: string },
  keys: SealingKeys,
): Promise<boolean> {
  const text = typeof sealed === 'string' ? await unseal('ending', sealed, keys) : null
  const read = text === null ? null : readJson(text)
  if (read?.ok !== true || !isJsonObject(read.value)) return false
  const { version, tenant, server, detail } = read.value
  return (
    version === VERSION &&
    tenant === at.tenant &&
    server === at.server &&
    isJsonObject(detail) &&
    detail['method'] === ENDING_METHOD &&
    isSame(details, [detail])
  )
}

const isSame = (value: JsonValue | undefined, wanted: JsonValue): boolean =>
  value !== undefined && canonical(value) === canonical(wanted)
