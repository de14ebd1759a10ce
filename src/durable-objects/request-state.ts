// What a client carries for us between two rounds of one call, and may not change
// (MCP 2026-07-28, basic/patterns/mrtr). Sealed with a key that only this subject's session has, so
// that it says nothing in another one's.
import type { Digests } from './digests.ts'

const PURPOSE = 'request-state'
const BORDER = '.'

export const sealState = (digests: Digests, text: string): string =>
  `${digests.seal(PURPOSE, text)}${BORDER}${text}`

/** null: never sealed here, or altered. */
export function openState(digests: Digests, sealed: string): string | null {
  const at = sealed.indexOf(BORDER)
  if (at < 0) return null
  const text = sealed.slice(at + 1)
  return isEqual(digests.seal(PURPOSE, text), sealed.slice(0, at)) ? text : null
}

/** Takes as long for a near miss as for a far one. */
function isEqual(one: string, other: string): boolean {
  if (one.length !== other.length) return false
  let difference = 0
  for (let at = 0; at < one.length; at += 1) {
    difference |= one.charCodeAt(at) ^ other.charCodeAt(at)
  }
  return difference === 0
}
