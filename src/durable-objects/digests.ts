import { createHmac } from 'node:crypto'

/** 32 characters of base64url are 192 bits: another value with an equal digest is not to be found. */
const LENGTH = 32

/**
 * Values are known by keyed digests. Each session draws a key of its own, so that what one session
 * keeps says nothing about another's, and a digest cannot be looked up in a list of likely values.
 *
 * Synchronous, unlike Web Crypto: nothing may be awaited between reading the facts and storing a step.
 */
export class Digests {
  readonly #key: string
  /** The values of one step are asked for several times. */
  readonly #known = new Map<string, string>()

  constructor(key: string) {
    this.#key = key
  }

  of(text: string): string {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const digest = createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, LENGTH)
    if (this.#known.size >= MOST_KNOWN) this.#known.clear()
    this.#known.set(text, digest)
    return digest
  }

  /**
   * Seals of another key, so that no digest can be taken for one. Whole, not cut: whoever sends it back
   * is not to be trusted.
   */
  seal(purpose: string, text: string): string {
    const key = createHmac('sha256', this.#key).update(`seal:${purpose}`).digest('base64url')
    return createHmac('sha256', key).update(text).digest('base64url')
  }
}

const MOST_KNOWN = 1_024

export const newDigestKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
