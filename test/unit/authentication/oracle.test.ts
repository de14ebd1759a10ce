import fc from 'fast-check'
import {
  allowInsecureRequests,
  clockSkew,
  clockTolerance,
  customFetch,
  validateJwtAccessToken,
} from 'oauth4webapi'
import { describe, expect, it } from 'vitest'
import { authenticate } from '../../../src/authentication/authenticate.ts'
import { CLOCK_AHEAD_SECONDS } from '../../../src/authentication/claims.ts'
import type { Credentials } from '../../../src/authentication/credentials.ts'
import { propertyRuns } from '../../support/property-runs.ts'
import { cellOf } from './attack.ts'
import { ATTACKS } from './attacks.ts'
import { made, requests } from './oracle-requests.ts'
import {
  ALIAS,
  contextWith,
  ISSUER,
  publicJwk,
  RESOURCE,
  SECONDS,
  SIGNING_ALGORITHMS,
} from './token-smith.ts'

/**
 * `validateJwtAccessToken` of oauth4webapi (RFC 6750, 9068, 9449) as a second opinion, with the most
 * that any of our own leeways lets through. It shares no code with us but the platform's signatures.
 */
const jwks = {
  keys: await Promise.all(
    // Without `alg`: it takes a key that is named EdDSA for EdDSA alone, we for Ed25519 as well.
    SIGNING_ALGORITHMS.map(async (name) => {
      const { alg: _alg, ...jwk } = await publicJwk(name)
      return jwk
    }),
  ),
}

async function oracleAccepts(credentials: Credentials): Promise<boolean> {
  const headers = new Headers()
  try {
    if (credentials.authorization !== null) headers.set('authorization', credentials.authorization)
    if (credentials.dpop !== null) headers.set('dpop', credentials.dpop)
  } catch {
    // A text that no HTTP message can carry.
    return false
  }
  const server = { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks.json` }
  const options = {
    [clockSkew]: SECONDS - Math.floor(Date.now() / 1000),
    [clockTolerance]: CLOCK_AHEAD_SECONDS,
    [customFetch]: async () => Response.json(jwks),
    [allowInsecureRequests]: false,
  }
  // We answer to several names, and a token or proof may be for any of them.
  for (const url of [RESOURCE, ALIAS]) {
    for (const audience of [RESOURCE, ALIAS]) {
      const request = new Request(url, { method: credentials.method, headers })
      try {
        await validateJwtAccessToken(server, request, audience, options)
        return true
      } catch {
        // The next name.
      }
    }
  }
  return false
}

/** By our cell: why we refuse what the other lets pass. A cell that is absent must never differ. */
const STRICTER: Readonly<Record<string, string>> = {
  credentials_malformed: 'a credential has one form: no blank, comma or query beside it',
  spelling: 'one text for one token: unused bits, padding and blanks are a second one',
  header: 'strict JSON, and `kid` is an identifier: required, bounded, without control letters',
  payload: 'strict JSON: no duplicates, no number that a double changes, bounded depth, no BOM',
  critical: '`b64` is refused even where `crit` does not name it',
  claim: 'identifiers and times are bounded and checked by type; `scope`, `act`, `azp` are read',
  not_yet_valid: '`iat` in the future is refused',
  expired: 'five seconds of leeway after `exp`, not sixty',
  lifetime: 'a token lives no longer than its issuer may grant',
  audience: 'every member of `aud` is a string',
  bound: '`cnf` names a key in its only spelling, or is not there at all',
  'proof spelling': 'as for tokens, and at most 4 KB',
  'proof header': 'strict JSON',
  'proof payload': 'strict JSON',
  'proof critical': '`b64` is refused even where `crit` does not name it',
  'proof key': 'a key in its only spelling, public in every member, for signatures, strong',
  'proof claim': 'identifiers and times are bounded and checked by type; `nonce` is read',
  'proof target':
    'addresses are compared as text: dot segments, user information and the like are others',
  'proof time':
    'sixty seconds ahead, not three hundred; sixty in all with a nonce; `exp` without leeway',
}

interface Opinions {
  readonly ours: string
  readonly theirs: boolean
}

async function opinions(credentials: Credentials): Promise<Opinions> {
  const result = await authenticate(credentials, contextWith())
  return {
    ours: result.ok ? 'accepted' : cellOf(result.error),
    theirs: await oracleAccepts(credentials),
  }
}

const differs = ({ ours, theirs }: Opinions): string | null => {
  if (ours === 'accepted') return theirs ? null : 'we accept what the other refuses'
  return theirs && STRICTER[ours] === undefined ? `we alone refuse: ${ours}` : null
}

describe('an independent validator', () => {
  it(
    'refuses nothing that we accept, and where we alone refuse there is a reason',
    { timeout: 300_000 },
    async () => {
      const seen = new Map<string, number>()
      await fc.assert(
        fc.asyncProperty(requests, async (generated) => {
          const told = await opinions(await made(generated))
          const what =
            told.ours === 'accepted'
              ? 'both accept'
              : told.theirs
                ? `we alone: ${told.ours}`
                : 'both refuse'
          seen.set(what, (seen.get(what) ?? 0) + 1)
          expect(differs(told)).toBe(null)
        }),
        propertyRuns(20_000),
      )
      console.log(Object.fromEntries(seen))
      // A generator that never gets anything through would prove nothing.
      expect(seen.get('both accept') ?? 0).toBeGreaterThan(0)
      expect(seen.get('both refuse') ?? 0).toBeGreaterThan(0)
    },
  )

  it('accepts none of the attacks for a reason that is not in the table', async () => {
    const unexplained: string[] = []
    const used = new Set<string>()
    for (const attack of ATTACKS) {
      // Rows with circumstances of their own are about those.
      if (attack.context !== undefined) continue
      const credentials = await attack.credentials()
      // It has no opinion about certificates, workloads and queries.
      if (credentials.tokenInQuery) continue
      if (credentials.workloadToken !== null || credentials.workloadProof !== null) continue
      const told = await opinions(credentials)
      if (differs(told) !== null) unexplained.push(`${attack.name}: ${differs(told)}`)
      if (told.theirs) used.add(told.ours)
    }
    expect(unexplained).toEqual([])
    // A row that nothing needs any more would hide the next difference.
    expect(Object.keys(STRICTER).filter((cell) => !used.has(cell))).toEqual([])
  })
})
