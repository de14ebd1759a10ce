import { base64url, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { authenticate } from '../../../src/authentication/authenticate.ts'
import { cellOf } from './attack.ts'
import { ATTACKS } from './attacks.ts'
import { ecdsaTwin } from './proof-smith.ts'
import {
  bearer,
  contextWith,
  ISSUER,
  issuerRow,
  NOW,
  pairOf,
  RESOURCE,
  SECONDS,
  SIGNING_ALGORITHMS,
  token,
  tokenBy,
  type Members,
} from './token-smith.ts'

describe('every attack is refused, and by the cell that names it', () => {
  it('has at least 200 rows, no two alike', () => {
    expect(new Set(ATTACKS.map(({ name }) => name)).size).toBe(ATTACKS.length)
    expect(ATTACKS.length).toBeGreaterThanOrEqual(200)
  })

  it.each(ATTACKS)('$name -> $refusal ($because)', async (attack) => {
    const result = await authenticate(await attack.credentials(), contextWith(attack.context))
    expect(result.ok ? 'accepted' : cellOf(result.error)).toBe(attack.refusal)
  })

  it('repeats no 16 letters of any credential, encoded or decoded', async () => {
    const leaks: string[] = []
    for (const attack of ATTACKS) {
      const credentials = await attack.credentials()
      const result = await authenticate(credentials, contextWith(attack.context))
      // The one name of a claim that is so long itself.
      const told = JSON.stringify(result).replaceAll('`authorization_details`', '')
      const headers = [credentials.authorization ?? '', `DPoP ${credentials.dpop ?? ''}`]
      for (const text of headers.flatMap(textsOf)) {
        for (let i = 0; i + 16 <= Math.min(text.length, 2000); i++) {
          const piece = text.slice(i, i + 16)
          if (told.includes(piece)) leaks.push(attack.name)
        }
      }
    }
    expect(leaks).toEqual([])
  })
})

/** The header value, and what its segments say. */
function textsOf(authorization: string): string[] {
  const segments = authorization.split(/[ .,]+/).slice(1, 3)
  return [
    authorization,
    ...segments.flatMap((segment) => {
      try {
        return [new TextDecoder().decode(base64url.decode(segment))]
      } catch {
        return []
      }
    }),
  ]
}

const accepted = async (payload: Members = {}, header: Members = {}) => {
  const result = await authenticate(bearer(await token(payload, header)), contextWith())
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

describe('a good token', () => {
  it('becomes claims', async () => {
    expect(
      await accepted({ sid: '"s"', acr: '"high"', auth_time: `${SECONDS - 60}`, nbf: '0' }),
    ).toEqual({
      issuer: ISSUER,
      subject: 'alice',
      client: 'acme-agent',
      tokenId: 'token-1',
      agent: null,
      agentDocument: null,
      actorChain: [],
      scopes: ['mcp:read', 'mcp:write'],
      audience: [RESOURCE],
      issuedAt: SECONDS - 10,
      expiresAt: SECONDS + 290,
      notBefore: 0,
      sessionId: 's',
      authTime: SECONDS - 60,
      acr: 'high',
      tenant: 'acme',
      keyId: 'ES256',
      mayAct: null,
      authorizationDetails: null,
      bindings: [],
      senderConstrained: false,
      proofs: [],
    })
  })

  it.each(SIGNING_ALGORITHMS)('signed with %s passes', async (algorithm) => {
    expect((await authenticate(bearer(await tokenBy(algorithm)), contextWith())).ok).toBe(true)
  })

  it('passes under both names of Ed25519 (RFC 9864 §2.2)', async () => {
    const text = await token({}, { alg: '"Ed25519"', kid: '"EdDSA"' }, 'EdDSA')
    expect((await authenticate(bearer(text), contextWith())).ok).toBe(true)
  })

  it.each(['bearer', 'BEARER', 'bEaReR'])('passes as %s: schemes have no case', async (scheme) => {
    const credentials = { ...bearer(''), authorization: `${scheme}  ${await token()}` }
    expect((await authenticate(credentials, contextWith())).ok).toBe(true)
  })

  it.each(['AT+JWT', 'application/at+jwt', 'Application/AT+JWT'])(
    'passes as typ %s',
    async (typ) => {
      expect((await accepted({}, { typ: `"${typ}"` })).subject).toBe('alice')
    },
  )

  it('may name further audiences, an alias, or a fraction in a claim of its own', async () => {
    expect(
      (await accepted({ aud: `["https://other.example","${RESOURCE}"]` })).audience,
    ).toHaveLength(2)
    expect((await accepted({ aud: '"https://alias.example.com/files/mcp"' })).subject).toBe('alice')
    expect((await accepted({ risk: '0.1' })).subject).toBe('alice')
  })

  it('may come without scope, or with an empty one', async () => {
    expect((await accepted({ scope: '""' })).scopes).toEqual([])
  })

  it('keeps what bounds it: `may_act` and `authorization_details`, an empty one too', async () => {
    const claims = await accepted({
      may_act: `{"sub":"bot","iss":"${ISSUER}"}`,
      act: '{"sub":"bot"}',
      authorization_details: '[{"type":"mcp_tool","actions":["read"]},{"type":"other"}]',
    })
    expect(claims.mayAct).toBe('bot')
    expect(claims.authorizationDetails).toEqual([
      { type: 'mcp_tool', actions: ['read'] },
      { type: 'other' },
    ])
    expect((await accepted({ authorization_details: '[]' })).authorizationDetails).toEqual([])
    // Who may act restricts nobody while nobody acts.
    expect((await accepted({ may_act: '{"sub":"bot"}' })).agent).toBe(null)
  })

  it('shows the outermost actor as the agent and keeps the chain for the record', async () => {
    const claims = await accepted({
      act: `{"sub":"a","iss":"${ISSUER}","act":{"sub":"b","act":{"sub":"c","act":{"sub":"d"}}}}`,
    })
    expect(claims.agent).toBe('a')
    expect(claims.actorChain).toEqual(['a', 'b', 'c', 'd'])
  })

  it.each([
    ['iat 60 s ahead', { iat: `${SECONDS + 60}` }],
    ['nbf 60 s ahead', { nbf: `${SECONDS + 60}` }],
    ['exp 4 s ago', { iat: `${SECONDS - 100}`, exp: `${SECONDS - 4}` }],
    ['the longest life', { iat: `${SECONDS}`, exp: `${SECONDS + 3600}` }],
    ['a session of 85 letters in 255 bytes', { sid: `"${'€'.repeat(85)}"` }],
    ['a token id of 256 bytes', { jti: `"${'a'.repeat(256)}"` }],
    ['azp equal to client_id', { azp: '"acme-agent"' }],
    ['31 levels below the payload', { x: '['.repeat(31) + ']'.repeat(31) }],
  ] satisfies [string, Members][])('passes at the bound: %s', async (_name, payload) => {
    expect((await accepted(payload)).subject).toBe('alice')
  })

  it('reads the clock after the key was awaited', async () => {
    let now = NOW
    const context = contextWith({
      now: () => now,
      keys: {
        find: async (...asked) => {
          now = NOW + 400_000
          return contextWith().keys.find(...asked)
        },
      },
    })
    const result = await authenticate(bearer(await token()), context)
    expect(result.ok ? 'accepted' : cellOf(result.error)).toBe('expired')
  })

  it('takes its tenant from the named claim', async () => {
    const issuers = new Map([[ISSUER, { ...issuerRow, tenantClaim: 'https://acme.example/org' }]])
    const text = await token({ 'https://acme.example/org': '"acme"' })
    expect((await authenticate(bearer(text), contextWith({ issuers }))).ok).toBe(true)
  })
})

describe('identity is never the text of a token', () => {
  it('takes the ECDSA twin (r, n - s), made without the key, for the same token', async () => {
    const text = await token()
    const other = ecdsaTwin(text)
    expect(other).not.toBe(text)
    const results = [
      await authenticate(bearer(text), contextWith()),
      await authenticate(bearer(other), contextWith()),
    ]
    expect(results[0]?.ok).toBe(true)
    expect(results[1]).toEqual(results[0])
  })
})

describe('jose as a second opinion', () => {
  it('accepts, with every option set, whatever we accept', async () => {
    const payloads: Members[] = [
      {},
      { act: '{"sub":"a"}' },
      { aud: `["x","${RESOURCE}"]` },
      { nbf: '0' },
    ]
    for (const payload of payloads) {
      const text = await token(payload)
      expect((await authenticate(bearer(text), contextWith())).ok).toBe(true)
      const { payload: theirs } = await jwtVerify(text, pairOf('ES256').publicKey, {
        issuer: ISSUER,
        audience: RESOURCE,
        algorithms: ['ES256'],
        typ: 'at+jwt',
        requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
        maxTokenAge: 3600,
        clockTolerance: 60,
        currentDate: new Date(NOW),
      })
      expect(theirs.sub).toBe('alice')
    }
  })

  it('alone would accept what the spelling check refuses: this is why the check exists', async () => {
    const key = pairOf('ES256').publicKey
    const text = await token()
    const at = { currentDate: new Date(NOW) }
    await expect(jwtVerify(`${text}==`, key, at)).resolves.toBeDefined()
    await expect(jwtVerify(text.replace(/(.{8})$/, ' $1'), key, at)).resolves.toBeDefined()
    await expect(
      jwtVerify(await token({ exp: '1e400', sub: '["g"]' }), key, at),
    ).resolves.toBeDefined()
  })
})
