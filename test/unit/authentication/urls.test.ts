// The test data of the URL Standard, read from the shared folder and never copied: two addresses that
// differ never compare as equal, and one address is not taken here and refused there.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isSameTarget } from '../../../src/authentication/target.ts'
import { trustedUrl, type UrlRules } from '../../../src/authentication/url.ts'

interface Vector {
  readonly input: string
  readonly base: string | null
  readonly href?: string
  readonly failure?: boolean
}

const path = join(
  process.env['SALLYPORT_SHARED'] ?? '../shared',
  'vectors/whatwg-url/urltestdata.json',
)
const vectors = existsSync(path)
  ? (JSON.parse(readFileSync(path, 'utf8')) as (Vector | string)[]).filter(
      (vector) => typeof vector !== 'string',
    )
  : []

const inputs = [...new Set(vectors.flatMap(({ input, base, href }) => [input, href, base]))].filter(
  (text) => typeof text === 'string',
)
/** What the data says must not parse, without a base to lean on. */
const failures = vectors.flatMap(({ input, base, failure }) =>
  failure === true && base === null ? [input] : [],
)
/** What parsers of this platform make of a text, without what a proof does not name. */
function addressOf(text: string): string | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  url.search = ''
  url.hash = ''
  return url.href
}

const RULES: readonly UrlRules[] = [
  { allowLoopback: false, ownHosts: new Set(['own.example']) },
  { allowLoopback: true, ownHosts: new Set(['localhost:8787']) },
]

// Where the data is not there, this shows up as skipped.
describe.skipIf(vectors.length === 0)('the target of a proof', () => {
  it('is never equal to an address that is another one', () => {
    const addresses = new Map(inputs.map((text) => [text, addressOf(text)]))
    const wrong: [string, string][] = []
    let equal = 0
    for (const [htu, one] of addresses) {
      for (const [address, other] of addresses) {
        if (htu === address || !isSameTarget(htu, address)) continue
        equal += 1
        if (one === null || one !== other) wrong.push([htu, address])
      }
    }
    expect(wrong).toEqual([])
    expect(equal).toBeGreaterThan(50)
  })

  it('is compared the same both ways', () => {
    const lopsided: [string, string][] = []
    for (const one of inputs) {
      for (const other of inputs) {
        if (isSameTarget(one, other) !== isSameTarget(other, one)) lopsided.push([one, other])
      }
    }
    expect(lopsided).toEqual([])
  })

  it('is never a text that is no address', () => {
    const hrefs = vectors.flatMap(({ href }) => href ?? [])
    const taken = failures.filter((input) => hrefs.some((href) => isSameTarget(input, href)))
    expect(taken).toEqual([])
  })
})

describe.skipIf(vectors.length === 0)('an address out of SQL', () => {
  it('is never a text that is no address', () => {
    expect(failures.length).toBeGreaterThan(200)
    for (const rules of RULES) {
      expect(failures.filter((input) => trustedUrl(input, rules).ok)).toEqual([])
    }
  })

  it('is called where the standard says that it points', () => {
    const elsewhere = vectors.flatMap(({ input, base, href }) => {
      if (base !== null || href === undefined) return []
      return RULES.flatMap((rules) => {
        const url = trustedUrl(input, rules)
        // A dot at the end of the host is dropped on purpose (url.ts).
        return url.ok && url.value.href !== href.replace(/^(https?:\/\/[^/:]*)\.(?=[/:])/, '$1')
          ? [[input, url.value.href]]
          : []
      })
    })
    expect(elsewhere).toEqual([])
  })

  it('is taken again under the spelling that it is called by', () => {
    let taken = 0
    for (const rules of RULES) {
      for (const input of inputs) {
        const url = trustedUrl(input, rules)
        if (!url.ok) continue
        taken += 1
        const again = trustedUrl(url.value.href, rules)
        expect([input, again.ok && again.value.href]).toEqual([input, url.value.href])
      }
    }
    expect(taken).toBeGreaterThan(20)
  })
})
