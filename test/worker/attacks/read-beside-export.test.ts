import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../support/property-runs.ts'
import { logOf } from '../../support/worker/log.ts'
import { env } from 'cloudflare:workers'
import { inThisWorld, newUser } from '../../support/worker/world.ts'
import { codeOf, seedMail, type Way } from './second-server.ts'

inThisWorld()

const { numRuns, seed } = propertyRuns(1_000, env as { PROPERTY_RUNS?: string })

/** mulberry32: the same runs for the same seed. */
function randomBy(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const WAYS: readonly Way[] = [
  {},
  { client: 'other-agent' },
  { agent: 'bot' },
  { headers: { 'mcp-session-id': 'another' } },
]

describe('a read and an export sent at the same instant', () => {
  it(
    `in ${numRuns} runs no export is admitted after the read, in the order of the log`,
    { timeout: 600_000 },
    async () => {
      await seedMail()
      const random = randomBy(seed)
      const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
      const subjects: string[] = []
      const turns = { readFirst: 0, exportFirst: 0 }
      for (let run = 0; run < numRuns; run += 1) {
        const sub = await newUser()
        subjects.push(sub)
        const read = () => codeOf(sub, 'read_all', {}, pick(WAYS))
        const exports = () =>
          random() < 0.5
            ? codeOf(sub, 'export_all', {}, pick(WAYS))
            : codeOf(sub, 'export_mail', {}, { ...pick(WAYS), server: 'mail' })
        // Some runs find a session that already knows its rules.
        if (random() < 0.5) await codeOf(sub, 'note')
        const both = random() < 0.5 ? [read, exports] : [exports, read]
        await Promise.all(both.map((send) => send()))
      }
      for (const sub of subjects) {
        const log = await logOf(sub)
        const at = (access: string) =>
          log.find(({ tool }) => (tool ?? '').startsWith(access) && tool !== 'note')
        const [read, exported] = [at('read'), at('export')]
        if (read === undefined || exported === undefined) throw new Error('a call has no record')
        expect(read.decision).toBe('allow')
        const expected = exported.sequence < read.sequence ? 'allow' : 'deny'
        expect(exported.decision).toBe(expected)
        turns[expected === 'allow' ? 'exportFirst' : 'readFirst'] += 1
      }
      // Both orders have been seen, or nothing was tried.
      expect(turns.readFirst).toBeGreaterThan(0)
      expect(turns.exportFirst).toBeGreaterThan(0)
    },
  )
})
