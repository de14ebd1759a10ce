// The Big List of Naughty Strings (Max Woolf, MIT) in the claims of tokens, read from the shared folder
// and never copied: each comes out as it went in, or is refused.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { authenticate } from '../../../src/authentication/authenticate.ts'
import { readWorkloadId } from '../../../src/authentication/workload/workload-id.ts'
import { cellOf } from './attack.ts'
import { bearer, contextWith, HEADER, json, PAYLOAD, sign, without } from './token-smith.ts'

const path = join(process.env['SALLYPORT_SHARED'] ?? '../shared', 'vectors/blns/blns.json')
const strings = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as string[]) : []

/** Empty, longer than 256 bytes, or with a letter that could end a line. */
const isRefused = (text: string): boolean =>
  text === '' || Buffer.byteLength(text) > 256 || /[\p{Cc}\u2028\u2029]/u.test(text)

async function read(claim: string, value: string): Promise<unknown> {
  const payload = { ...without(PAYLOAD, claim), [claim]: JSON.stringify(value) }
  const result = await authenticate(bearer(await sign(json(HEADER), json(payload))), contextWith())
  return result.ok ? result.value : cellOf(result.error)
}

describe.skipIf(strings.length === 0)('the Big List of Naughty Strings', () => {
  it('is complete', () => {
    expect(strings.length).toBeGreaterThanOrEqual(515)
  })

  it.each([
    ['sub', 'subject'],
    ['client_id', 'client'],
    ['jti', 'tokenId'],
    ['sid', 'sessionId'],
    ['acr', 'acr'],
  ])('as `%s`', async (claim, name) => {
    for (const text of strings) {
      const claims = await read(claim, text)
      expect(isRefused(text) ? claims : (claims as Record<string, unknown>)[name]).toBe(
        isRefused(text) ? 'claim' : text,
      )
    }
  })

  it('as the agent', async () => {
    for (const text of strings) {
      const payload = { ...PAYLOAD, act: JSON.stringify({ sub: text }) }
      const result = await authenticate(
        bearer(await sign(json(HEADER), json(payload))),
        contextWith(),
      )
      expect(result.ok ? result.value.agent : cellOf(result.error)).toBe(
        isRefused(text) ? 'claim' : text,
      )
    }
  })

  it('are no workloads, nor paths of one beyond plain letters', () => {
    const taken = strings.filter((text) => readWorkloadId(text) !== null)
    expect(taken).toEqual([])
    const paths = strings.filter((text) => readWorkloadId(`spiffe://a/${text}`) !== null)
    expect(paths.filter((text) => !/^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/.test(text))).toEqual(
      [],
    )
  })
})
