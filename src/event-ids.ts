import { createHmac } from 'node:crypto'

/**
 * Event ids of a stream as a client sees them (WHATWG HTML §9.2): the server's own, behind a seal of that
 * very stream. Nothing is kept of them, and no other stream goes on after one.
 */

const SEAL_LENGTH = 22

/** Of the server's own. They are held by the client and sent back in a header. */
const OWN = /^[\x21-\x7e]{1,512}$/

/** null: an id that is not passed on. Then a stream goes on after the event before it. */
export const sealEventId = (key: string, id: string): string | null =>
  OWN.test(id) ? `${sealOf(key, id)}.${id}` : null

/** null: no id of this stream. */
export function openEventId(key: string, sealed: string): string | null {
  const id = sealed.slice(SEAL_LENGTH + 1)
  // Not compared in constant time: an id that is guessed right is one that the client could have.
  return sealEventId(key, id) === sealed ? id : null
}

const sealOf = (key: string, id: string): string =>
  createHmac('sha256', key).update(id).digest('base64url').slice(0, SEAL_LENGTH)
