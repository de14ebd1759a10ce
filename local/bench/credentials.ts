import { IPV4_LOOPBACK, freePorts } from '../ports.ts'
import { benchPart } from '../workers.ts'
import { measureBatches, type Measurement } from './load.ts'

export interface CredentialBench {
  readonly rows: readonly Measurement[]
  readonly ratios: {
    readonly door_one_es256_us: number
    readonly door_one_dpop_us: number
    readonly signing_us: number
  }
}

const BATCH = 400

const KINDS = [
  { name: 'door one ES256', query: 'algorithm=ES256' },
  { name: 'door one EdDSA', query: 'algorithm=EdDSA' },
  { name: 'door one RS256', query: 'algorithm=RS256' },
  // An ES256 token, and a proof by a key of its own that has to be imported each time.
  { name: 'door one DPoP', query: 'algorithm=ES256&bound' },
] as const

const SIGNING = 'a token for one call'

/** Who is calling, from the headers to the claims: keys warm, no network, no storage. */
export async function benchCredentials(): Promise<CredentialBench> {
  const { issuer: port } = await freePorts()
  const worker = await benchPart('credentials', 'local/bench/workers/credentials.ts', port, {})
  const { issuer: signingPort } = await freePorts()
  const signer = await benchPart('signing', 'local/bench/workers/signing.ts', signingPort, {})
  try {
    const rows: Measurement[] = []
    for (const { name, query } of KINDS) rows.push(await callersAt(port, name, query))
    // The other direction: what a call is given for its server.
    rows.push(await callersAt(signingPort, SIGNING, ''))
    const of = (name: string): number => {
      const found = rows.find((row) => row.name === name)
      return Math.round((found?.p50_ms ?? Number.NaN) * 1000)
    }
    return {
      rows,
      ratios: {
        door_one_es256_us: of('door one ES256'),
        door_one_dpop_us: of('door one DPoP'),
        signing_us: of(SIGNING),
      },
    }
  } finally {
    await Promise.all([worker.stop(), signer.stop()])
  }
}

/** One caller. */
const callersAt = (port: number, name: string, query: string): Promise<Measurement> =>
  measureBatches(name, BATCH, async (times) => {
    const answer = await fetch(`http://${IPV4_LOOPBACK}:${port}/?${query}&times=${times}`)
    const { accepted } = (await answer.json()) as { accepted: number }
    if (accepted !== times) throw new Error(`${accepted} of ${times} callers were accepted`)
  })
