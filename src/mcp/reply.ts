// Pure. How an error must be shaped so that whoever sent this message can read it.
import type { MessageHeaders } from './headers.ts'
import { isAnswer } from './client-answer.ts'
import { messageId } from './message.ts'
import type { Era, MessageId } from './refusal.ts'
import { isJsonObject, type JsonValue } from './value.ts'
import { META, speaks } from './versions.ts'

export interface Reply {
  /** null: unreadable, or nobody waits for an answer. */
  readonly id: MessageId | null
  readonly era: Era
  readonly toolCall: boolean
}

/** For a message of which nothing is known. */
export const NO_REPLY: Reply = { id: null, era: 'legacy', toolCall: false }

/**
 * A first look, before anything is checked, and used for nothing but the form of an error: the id
 * is repeated wherever it can be read (JSON-RPC 2.0 §5.1).
 */
export function replyTo(message: JsonValue, headers: MessageHeaders): Reply {
  if (!isJsonObject(message)) return NO_REPLY
  const { method, params } = message
  const meta = isJsonObject(params) ? params['_meta'] : undefined
  const modern = isJsonObject(meta) && Object.hasOwn(meta, META.protocolVersion)
  return {
    // A response is answered by nobody.
    id: isAnswer(message) ? null : messageId(message),
    era: modern || speaks('modern', headers.protocolVersion ?? '') ? 'modern' : 'legacy',
    toolCall: method === 'tools/call',
  }
}
