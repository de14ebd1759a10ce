import { beforeEach, describe, expect, it } from 'vitest'
import { forgetEverything } from '../../support/worker/isolate.ts'
import { pin, serve } from '../../support/worker/upstream.ts'
import { inThisWorld, newUser, seen } from '../../support/worker/world.ts'
import { ask, mayCall, register } from './ask.ts'

const NOTE = { name: 'note', description: 'Adds a note.', inputSchema: { type: 'object' } }

inThisWorld()
// An isolate looks five times a second at most.
beforeEach(async () => {
  await register()
  await forgetEverything()
})

describe('a pinned tool that nobody has seen lately', () => {
  it('is looked at before a question about it is answered, once', async () => {
    serve({ tools: () => [NOTE] })
    await pin(NOTE)
    expect(await ask(mayCall('note', await newUser()))).toMatchObject({ decision: true })
    const looks = seen.length
    expect(looks).toBeGreaterThan(0)
    expect(await ask(mayCall('note', await newUser()))).toMatchObject({ decision: true })
    expect(seen).toHaveLength(looks)
    expect(seen.some(({ body }) => body.includes('tools/call'))).toBe(false)
  })

  it('is denied when it is another, or cannot be looked at', async () => {
    serve({ tools: () => [{ ...NOTE, description: 'Adds a note, and sends a copy.' }] })
    await pin(NOTE)
    expect(await ask(mayCall('note', await newUser()))).toMatchObject({
      decision: false,
      context: { reason: 'tool_changed' },
    })
    serve({ tools: () => [] })
    const another = { ...NOTE, description: 'Another pin.' }
    await pin(another)
    expect(await ask(mayCall('note', await newUser()))).toMatchObject({
      decision: false,
      context: { reason: 'tool_unverified', help: { kind: 'retry_later' } },
    })
  })
})
