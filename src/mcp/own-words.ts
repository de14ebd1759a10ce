// Pure. What Sallyport says of itself stands under names of its own, and nobody else may use them.
import { isJsonObject, type JsonObject } from './value.ts'

/** In a result's `_meta` and in an error's `data` (docs/refusals.md). */
export const REFUSAL_KEY = 'sallyport/refusal'

/** In any case of letters, as some clients read names. */
const OWN_NAME = /^sallyport\//i

/** Where a message speaks for whoever sent it; a task has a result or an error within its own. */
const SPEAKS: ReadonlySet<string> = new Set(['result', 'error', 'params', '_meta', 'data'])

/**
 * A message of an upstream without our names, or the very same object where it has none of them. What a
 * tool returns and what a listing describes are not looked into: no client takes them for our words.
 *
 * INVARIANT: no client gets from an upstream what it would read as Sallyport's own word.
 */
export function withoutOwnWords(said: JsonObject): JsonObject {
  const all = Object.entries(said)
  const theirs = all
    .filter(([name]) => !OWN_NAME.test(name))
    .map(([name, value]) => {
      const within = SPEAKS.has(name) && isJsonObject(value) ? withoutOwnWords(value) : value
      return [name, within] as const
    })
  const isSame =
    theirs.length === all.length && theirs.every(([name, value]) => value === said[name])
  return isSame
    ? said
    : Object.assign(Object.create(null) as JsonObject, Object.fromEntries(theirs))
}
