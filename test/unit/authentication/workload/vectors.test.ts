// The published examples of WIMSE and SPIFFE, read from the shared folder and never copied.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { base64url } from 'jose'
import { describe, expect, it } from 'vitest'
import type { AuthenticationContext } from '../../../../src/authentication/context.ts'
import { credentialsOf, type Credentials } from '../../../../src/authentication/credentials.ts'
import { readKeySet } from '../../../../src/authentication/key-set.ts'
import { createKeySource } from '../../../../src/authentication/keys.ts'
import { hashOf } from '../../../../src/authentication/thumbprint.ts'
import { verifyWorkload } from '../../../../src/authentication/workload/verify.ts'
import { verifyWit } from '../../../../src/authentication/workload/wit.ts'
import { readObject } from '../../../../src/exact-json.ts'
import { contextWith, issuerRow } from '../token-smith.ts'
import { workloadCellOf } from './workload-attack.ts'
import { prodRow } from './workload-smith.ts'

const folder = join(process.env['SALLYPORT_SHARED'] ?? '../shared', 'vectors')
const isThere = existsSync(folder)
const read = (name: string): string => (isThere ? readFileSync(join(folder, name), 'utf8') : '')

const TARGET = 'https://workload.example.com/path'
const PROOF_EXP = 1_745_510_016

/** The identity server's key as draft-ietf-wimse-workload-creds §3.1 prints it. */
const IDENTITY_SERVER = {
  kty: 'EC',
  kid: 'June 5',
  crv: 'P-256',
  x: 'kXqnA2Op7hgd4zRMbw0iFcc_hDxUxhojxOFVGjE2gks',
  y: 'n__VndPMR021-59UAs0b9qDTFT-EZtT6xSNs_xFskLo',
}

function contextAt(
  seconds: number,
  trustDomain: string,
  changes: Partial<AuthenticationContext> = {},
): AuthenticationContext {
  const now = () => seconds * 1000
  const document = readObject(new TextEncoder().encode(JSON.stringify({ keys: [IDENTITY_SERVER] })))
  const set = document.ok ? readKeySet(document.value) : document
  if (!set.ok) throw new Error(JSON.stringify(set.error))
  return contextWith({
    resources: [TARGET],
    targets: [TARGET],
    issuers: new Map([[trustDomain, { ...prodRow, url: trustDomain }]]),
    keys: createKeySource({
      ask: async () => ({
        keys: set.value,
        fetchedAt: now(),
        goodForMs: 300_000,
        miss: 'unknown',
        missForMs: 30_000,
      }),
      allowLoopback: false,
      now,
    }),
    now,
    ...changes,
  })
}

/** The request as it would arrive, header by header. */
function requestOf(text: string): Request {
  const [head = ''] = text.split(/\r?\n\r?\n/)
  const [, ...lines] = head.split(/\r?\n/)
  const headers = new Headers()
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  return new Request(TARGET, { method: 'POST', headers })
}

describe.skipIf(!isThere)('WIMSE: the published request', () => {
  const published = isThere
    ? credentialsOf(requestOf(read('wimse/wpt-request.txt')))
    : ({} as Credentials)
  const accessToken = '16_mAd0GiwaZokU26_0902100'

  const outcome = async (
    changes: Partial<Credentials> = {},
    token: string | null = accessToken,
    at = PROOF_EXP - 60,
  ) => {
    const credentials = { ...published, ...changes }
    const result = await verifyWorkload(credentials, token, contextAt(at, 'wimse://example.com'))
    return result.ok ? 'accepted' : workloadCellOf(result.error)
  }

  /** Other claims or headers under the published signature. */
  const altered = (segment: 0 | 1, member: string, value: unknown): string => {
    const segments = (published.workloadProof ?? '').split('.')
    const members = JSON.parse(
      new TextDecoder().decode(base64url.decode(segments[segment] ?? '')),
    ) as Record<string, unknown>
    segments[segment] = base64url.encode(JSON.stringify({ ...members, [member]: value }))
    return segments.join('.')
  }

  it('is accepted, for the workload and the key that it names', async () => {
    const result = await verifyWorkload(
      published,
      accessToken,
      contextAt(PROOF_EXP - 60, 'wimse://example.com'),
    )
    expect(result).toMatchObject({
      ok: true,
      value: {
        issuer: 'wimse://example.com',
        id: 'wimse://example.com/specific-workload',
        tokenId: 'x-_1CTL2cca3CSE4cwb_l',
        keyId: 'June 5',
        binding: { kind: 'workload' },
      },
    })
  })

  it('is the tokens that are published alone', () => {
    expect(published.workloadProof).toBe(read('wimse/wpt.txt').trim())
    expect(published.workloadToken).toBe(read('wimse/wit.txt').trim())
    const header = `Workload-Identity-Token: ${published.workloadToken}`
    expect(header).toBe(read('wimse/wit-header.txt').trim())
  })

  it('is refused once it has expired, and long before it will', async () => {
    expect(await outcome({}, accessToken, PROOF_EXP + 4)).toBe('accepted')
    expect(await outcome({}, accessToken, PROOF_EXP + 5)).toBe('workload time')
    expect(await outcome({}, accessToken, PROOF_EXP - 3600)).toBe('workload time')
    expect(await outcome({}, accessToken, 1_745_512_515)).toBe('workload time')
  })

  it('is refused with any of its claims altered', async () => {
    const proofs: readonly (readonly [string, string])[] = [
      [altered(1, 'ath', hashOf('another')), 'workload token'],
      [altered(1, 'ath', undefined), 'workload token'],
      [altered(1, 'wth', hashOf('another')), 'workload token'],
      [altered(1, 'aud', 'https://workload.example.com/other'), 'workload target'],
      [altered(1, 'exp', PROOF_EXP + 60), 'workload signature'],
      [altered(1, 'jti', 'another'), 'workload signature'],
      [altered(1, 'tth', hashOf('x')), 'workload token'],
      [altered(1, 'oth', { 'x-other': hashOf('x') }), 'workload token'],
      [altered(0, 'alg', 'ES256'), 'workload algorithm'],
      [altered(0, 'alg', 'none'), 'workload algorithm'],
      [altered(0, 'alg', 'Ed25519'), 'workload algorithm'],
      [altered(0, 'typ', 'JWT'), 'workload type'],
      [altered(0, 'kid', 'x'), 'workload signature'],
    ]
    for (const [workloadProof, cell] of proofs) {
      expect([workloadProof, await outcome({ workloadProof })]).toEqual([workloadProof, cell])
    }
  })

  it('is refused beside another token, or none', async () => {
    expect(await outcome({}, 'another')).toBe('workload token')
    expect(await outcome({}, null)).toBe('workload token')
  })

  it('is refused with a header sent twice', async () => {
    for (const name of ['Workload-Identity-Token', 'Workload-Proof-Token']) {
      const request = requestOf(read('wimse/wpt-request.txt'))
      request.headers.append(name, request.headers.get(name) ?? '')
      expect(await outcome(credentialsOf(request))).toBe('workload several')
    }
  })

  it('is refused for another trust domain, and for another tenant', async () => {
    const inDomain = await verifyWorkload(
      published,
      accessToken,
      contextAt(PROOF_EXP - 60, 'spiffe://example.com'),
    )
    expect(inDomain.ok ? 'accepted' : workloadCellOf(inDomain.error)).toBe('workload key')
    const elsewhere = await verifyWorkload(
      published,
      accessToken,
      contextAt(PROOF_EXP - 60, 'wimse://example.com', { tenant: 'globex' }),
    )
    expect(elsewhere.ok ? 'accepted' : workloadCellOf(elsewhere.error)).toBe('workload key')
  })

  it('is refused where the row is an OAuth issuer', async () => {
    const issuers = new Map([['wimse://example.com', { ...issuerRow, url: 'wimse://example.com' }]])
    const context = contextAt(PROOF_EXP - 60, 'wimse://example.com', { issuers })
    const result = await verifyWorkload(published, accessToken, context)
    expect(result.ok ? 'accepted' : workloadCellOf(result.error)).toBe('workload key')
  })
})

interface Schema {
  readonly algorithms: readonly string[]
  readonly types: readonly string[]
}

/** The lists of the schema, which is YAML of a very plain kind. */
function readSchema(text: string): Schema {
  const listUnder = (name: string) => {
    const [, block = ''] =
      new RegExp(`      ${name}:[^]*?enum:\\n((?:          - .*\\n)+)`).exec(text) ?? []
    return [...block.matchAll(/"([^"]+)"/g)].map(([, word = '']) => word)
  }
  return { algorithms: listUnder('alg'), types: listUnder('typ') }
}

describe.skipIf(!isThere)('SPIFFE: what the schema of JWT-SVID lists', async () => {
  const { algorithms, types } = readSchema(read('spiffe/JWT-SVID.schema'))
  const { by, SVID_ALGORITHMS, svid, workloadContext } = await import('./workload-smith.ts')
  const { authenticate } = await import('../../../../src/authentication/authenticate.ts')
  const { bearer } = await import('../token-smith.ts')

  it('is what is accepted, and EdDSA is not', async () => {
    expect([...algorithms].toSorted()).toEqual([...SVID_ALGORITHMS].toSorted())
    for (const algorithm of [...SVID_ALGORITHMS, 'EdDSA' as const]) {
      for (const typ of types) {
        const header = { alg: `"${algorithm}"`, kid: `"${algorithm}"`, typ: `"${typ}"` }
        const text = await svid({}, header, by('prod', algorithm))
        const { ok } = await authenticate(bearer(text), workloadContext())
        expect([algorithm, typ, ok]).toEqual([algorithm, typ, algorithms.includes(algorithm)])
      }
    }
  })
})

describe.skipIf(!isThere)('SPIFFE: the example WIT-SVID', () => {
  const [, text = ''] = /`(eyJ[\w.-]+)`/.exec(read('spiffe/WIT-SVID-example.md')) ?? []

  /** Its key is not published, so the furthest that it can come is its signature. */
  const outcome = async (token: string, at: number) => {
    const context = contextAt(at, 'spiffe://example.com')
    const result = await verifyWit(token, {
      ...context,
      keys: createKeySource({
        ask: async () => ({
          keys: [
            {
              kid: 'lQSi3hZFnda2D-XJkj1zl7foJouiwI4nrAyhy4jZiJg',
              use: 'wit-svid',
              alg: null,
              material: { kty: 'EC', crv: 'P-256', x: IDENTITY_SERVER.x, y: IDENTITY_SERVER.y },
            },
          ],
          fetchedAt: at * 1000,
          goodForMs: 300_000,
          miss: 'unknown',
          missForMs: 30_000,
        }),
        allowLoopback: false,
        now: () => at * 1000,
      }),
    })
    return result.ok ? 'accepted' : workloadCellOf(result.error)
  }

  it('is well formed as far as its signature', async () => {
    expect(text).not.toBe('')
    expect(await outcome(text, 1_765_456_000)).toBe('workload signature')
  })

  it('is refused without its kid', async () => {
    const [, ...rest] = text.split('.')
    const header = base64url.encode(JSON.stringify({ alg: 'ES256', typ: 'wit+jwt' }))
    expect(await outcome([header, ...rest].join('.'), 1_765_456_000)).toBe('workload header')
  })
})
