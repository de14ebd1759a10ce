import { exportJWK, generateKeyPair } from 'jose'
import { NO_TOKEN } from '../../../src/question/question.ts'
import { CONTEXT_VERSION, type CallContext } from '../../../src/upstream/credentials/context.ts'
import { readSealingKeys, readSigningKeys } from '../../../src/upstream/credentials/own-keys.ts'
import { signToken } from '../../../src/upstream/credentials/signed.ts'

/** What a call pays for a token of its own: a digest of its arguments, a seal and a signature. */
const CONTEXT: CallContext = {
  version: CONTEXT_VERSION,
  actor: {
    tenant: 'acme',
    issuer: 'https://issuer.example',
    subject: 'alice',
    client: 'acme-agent',
    agent: 'bot',
  },
  credential: {
    ...NO_TOKEN,
    tokenId: '0b2c6a3e-8f0e-4c1d-9a52-7d5f1f3a8e11',
    sessionId: 's-1',
    keyId: 'k1',
  },
  server: 'crm',
  method: 'tools/call',
  tool: 'note',
  access: 'write',
  task: { id: '5f0f9c1e-2f4e-4b51-8a3f-0c1d2e3f4a5b', expiresAt: 4_000_000_000_000 },
}

const MESSAGE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'note', arguments: { id: 'C-1001', fields: { stage: 'won', owner: 'bob' } } },
}

async function makeKeys() {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const signing = { ...(await exportJWK(privateKey)), kid: 's', alg: 'ES256' }
  const sealing = { kty: 'oct', k: 'A'.repeat(43), kid: 'e' }
  const read = await Promise.all([
    readSigningKeys({ SIGNING_KEYS: JSON.stringify({ keys: [signing] }) }),
    readSealingKeys({ SEALING_KEYS: JSON.stringify({ keys: [sealing] }) }),
  ])
  const [one, other] = read
  if (!one.ok || !other.ok) throw new Error('keys of a bench are not right')
  return { signing: one.value, sealing: other.value }
}

let keys: Awaited<ReturnType<typeof makeKeys>> | null = null

export default {
  async fetch(incoming: Request): Promise<Response> {
    keys ??= await makeKeys()
    let accepted = 0
    const times = Number(new URL(incoming.url).searchParams.get('times'))
    for (let asked = 0; asked < times; asked += 1) {
      const minting = {
        issuer: 'https://mcp.example.com',
        audience: 'https://crm.example/mcp',
        name: `decision-${asked}`,
        context: CONTEXT,
        message: MESSAGE,
        until: 4_000_000_000_000,
        now: 1_800_000_000_000,
      }
      const token = await signToken(minting, keys.signing, keys.sealing)
      if (token.length > 0) accepted += 1
    }
    return Response.json({ accepted })
  },
} satisfies ExportedHandler
