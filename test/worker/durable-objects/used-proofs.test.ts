import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ShownProof } from '../../../src/durable-objects/session-protocol.ts'

const BEGIN = 1_790_000_000_000
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: BEGIN }))
afterEach(() => void vi.useRealTimers())

const proof = (id: string, expiresAt: number, more: Partial<ShownProof> = {}): ShownProof => ({
  kind: 'dpop',
  id,
  expiresAt,
  thumbprint: 'A'.repeat(43),
  nonce: null,
  nonceNeeded: false,
  ...more,
})

function sessionNamed(name: string) {
  const session = env.SESSIONS.getByName(name)
  const show = async (request: string, ...proofs: ShownProof[]) => {
    const answer = await session.useProofs({ request, proofs })
    return answer === null
      ? 'new'
      : 'fault' in answer.refusal
        ? answer.refusal.fault
        : answer.refusal.reason
  }
  const remembered = () =>
    runInDurableObject(session, (_, { storage }) =>
      Number(storage.sql.exec('SELECT count(*) AS rows FROM used_proofs').one()['rows']),
    )
  return { show, remembered }
}

describe('a proof that was used', () => {
  // Door one saw it in the last moment of its life; the facts took two seconds to read, and meanwhile
  // others swept the table. The clock of this object may also be ahead of that of the Worker.
  it.each(['dpop', 'workload'] as const)(
    'is still known when its %s replay comes a little after its end',
    async (kind) => {
      const { show } = sessionNamed(`late-${kind}`)
      const captured = proof('captured', BEGIN + 1_000, { kind })
      expect(await show('first', captured)).toBe('new')
      for (const seconds of [2, 30, 59]) {
        vi.setSystemTime(BEGIN + 1_000 + seconds * 1_000)
        expect(await show(`other-${seconds}`, proof(`p-${seconds}`, BEGIN + 300_000))).toBe('new')
        expect(await show(`replay-${seconds}`, captured)).toBe('used')
      }
    },
  )

  it('is refused for its age by the object itself, whatever the Worker thought', async () => {
    const { show, remembered } = sessionNamed('old')
    const captured = proof('captured', BEGIN + 1_000)
    await show('first', captured)
    vi.setSystemTime(BEGIN + 1_000 + 60_000)
    await show('other', proof('other', BEGIN + 300_000))
    expect(await remembered()).toBe(1)
    expect(await show('replay', captured)).toBe('time')
    expect(await remembered()).toBe(1)
  })

  it('is the same proof beside another one, and then neither is used up', async () => {
    const { show } = sessionNamed('pairs')
    await show('first', proof('used', BEGIN + 300_000))
    const fresh = proof('fresh', BEGIN + 300_000, { kind: 'workload' })
    expect(await show('second', fresh, proof('used', BEGIN + 300_000))).toBe('used')
    expect(await show('third', fresh)).toBe('new')
    expect(await show('third', fresh), 'told again after a lost answer').toBe('new')
    expect(await show('fourth', fresh)).toBe('used')
  })
})

describe('what is remembered', () => {
  it('shrinks again after a flood, with the proofs that come then', async () => {
    const { show, remembered } = sessionNamed('flood')
    for (let batch = 0; batch < 20; batch += 1) {
      const flood = Array.from({ length: 50 }, (_, at) => proof(`${batch}-${at}`, BEGIN + 300_000))
      await show(`flood-${batch}`, ...flood)
    }
    expect(await remembered()).toBe(1_000)
    vi.setSystemTime(BEGIN + 361_000)
    for (let at = 0; at < 250; at += 1)
      await show(`later-${at}`, proof(`later-${at}`, BEGIN + 600_000))
    expect(await remembered()).toBe(250)
  })
})
