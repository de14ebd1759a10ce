import { sealEventId } from '../../event-ids.ts'
import type { StreamEvent } from '../../mcp/event-stream.ts'

/** Said when there is nothing to say, so that whoever is in between sees a stream that is alive. */
export const KEEP_ALIVE = ': ka\n\n'

/** A time that a browser takes; longer is not a time to wait, and shorter is for the client to judge. */
const MAX_RETRY_MS = 86_400_000

/** What of an event's own fields a client gets besides its data. */
export type Fields = Pick<StreamEvent, 'id' | 'retry'>

export const NO_FIELDS: Fields = { id: null, retry: null }

/**
 * An event in our own words: comments, unknown fields and event names would carry text past the reading.
 * `data` is null where it carries no message.
 */
export function frame(data: string | null, { id, retry }: Fields, eventKey: string | null): string {
  const sealed = id === null || eventKey === null ? null : sealEventId(eventKey, id)
  const lines = [
    ...(sealed === null ? [] : [`id: ${sealed}`]),
    ...(retry === null || eventKey === null || retry > MAX_RETRY_MS ? [] : [`retry: ${retry}`]),
    ...(data === null ? [] : data.split('\n').map((line) => `data: ${line}`)),
  ]
  return lines.length === 0 ? ':\n\n' : `${lines.join('\n')}\n\n`
}
