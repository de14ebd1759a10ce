// SPIFFE bundles: a JWK set whose keys say what they are for.

import { describe, expect, it } from 'vitest'
import { fetchKeySet } from '../../../../src/authentication/key-fetch.ts'
import type { KeyUse } from '../../../../src/authentication/jwk.ts'
import { DOMAIN, by, prodRow, publicPart, workloadContext } from './workload-smith.ts'

const key = await publicPart(by('prod jwt'))

const fetched = async (text: string) =>
  fetchKeySet({ uri: prodRow.jwksUri, allowLoopback: false }, async () => new Response(text))

const bundle = (members: string, ...keys: Record<string, unknown>[]) =>
  fetched(`{${members}"keys":${JSON.stringify(keys)}}`)

describe('a bundle', () => {
  it.each([
    '',
    '"spiffe_sequence":1,"spiffe_refresh_hint":600,',
    // §4.1.1: at least 64 bits, more than a double has.
    '"spiffe_sequence":18446744073709551615,',
    '"spiffe_sequence":1e400,',
    '"published_by":{"name":"spire"},',
  ])('is read with these members before its keys: %s', async (members) => {
    const set = await bundle(members, { ...key, kid: 'a', use: 'jwt-svid' })
    expect(set.ok && set.value.map(({ kid, use }) => [kid, use])).toEqual([['a', 'jwt-svid']])
  })

  it('keeps each use, and skips the ones that are not known (§4.2.2)', async () => {
    const set = await bundle(
      '',
      { ...key, kid: 'jwt', use: 'jwt-svid' },
      { ...key, kid: 'wit', use: 'wit-svid' },
      { ...key, kid: 'sig', use: 'sig' },
      { ...key, kid: 'bare' },
      { ...key, use: 'x509-svid', x5c: ['AAAA'] },
      { ...key, kid: 'upper', use: 'JWT-SVID' },
      { ...key, kid: 'enc', use: 'enc' },
      { ...key, kid: 'list', use: ['jwt-svid'] },
      { ...key, kid: 'null', use: null },
    )
    expect(set.ok && set.value.map(({ kid, use }) => `${kid} ${use}`)).toEqual([
      'jwt jwt-svid',
      'wit wit-svid',
      'sig sig',
      'bare sig',
    ])
  })

  it('with two keys of one kid is refused, whatever their uses (WIT-SVID §6.1)', async () => {
    const set = await bundle(
      '',
      { ...key, kid: 'a', use: 'jwt-svid' },
      { ...key, kid: 'a', use: 'wit-svid' },
    )
    expect(set).toMatchObject({ ok: false, error: { kind: 'refused' } })
  })

  it('with a private key is refused, whatever its use', async () => {
    const set = await bundle('', { ...key, d: 'AAAA', kid: 'a', use: 'x509-svid' })
    expect(set).toMatchObject({ ok: false, error: { kind: 'refused' } })
  })

  it.each(['{"keys":[],"keys":[]}', '{"spiffe_sequence":1}', '[]', '\ufeff{"keys":[]}'])(
    'is none: %s',
    async (text) => {
      expect((await fetched(text)).ok).toBe(false)
    },
  )
})

describe('a key of one use is never chosen for another', () => {
  const keys: readonly (readonly [string, KeyUse | null])[] = [
    ['jwt-1', 'jwt-svid'],
    ['wit-1', 'wit-svid'],
    ['sig-1', 'sig'],
    ['bare-1', 'sig'],
    ['x509-1', null],
  ]
  const uses: readonly KeyUse[] = ['jwt-svid', 'wit-svid', 'sig']

  it.each(keys.flatMap(([kid, own]) => uses.map((use) => [kid, use, own === use] as const)))(
    '%s for %s: %s',
    async (kid, use, isRight) => {
      const { keys: source, issuers } = workloadContext()
      const row = issuers.get(DOMAIN)
      if (row === undefined) throw new Error('no row')
      const found = await source.find(row, kid, 'ES256', use)
      expect(found instanceof CryptoKey ? 'a key' : found).toBe(isRight ? 'a key' : 'unknown')
    },
  )

  it('and without a use it is one for signatures', async () => {
    const { keys: source } = workloadContext()
    expect(await source.find(prodRow, 'jwt-1', 'ES256')).toBe('unknown')
    expect(await source.find(prodRow, 'sig-1', 'ES256')).toBeInstanceOf(CryptoKey)
  })
})
