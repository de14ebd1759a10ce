import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { SESSION_PROTOCOL } from '../../../src/durable-objects/session-protocol.ts'

const VERSION = { version: SESSION_PROTOCOL } as const
const WHOSE = { ...VERSION, actorKey: 'a', server: 's' }

const session = () => env.SESSIONS.get(env.SESSIONS.idFromName(crypto.randomUUID()))
const task = (taskId: string) => ({ taskId, entry: 't', arguments: '{}', underTask: 'u' })
/** Where all are told: a thousand arguments are no answer. */
const listed = (taskId: string) => ({ ...task(taskId), arguments: '' })

describe('the tasks of a server that a session knows', () => {
  it('are those of the actor and the server', async () => {
    const stub = session()
    expect(await stub.keepTask({ ...WHOSE, ...task('1') })).toBe(true)
    const ask = async (more = {}) =>
      (await stub.recall({ ...WHOSE, taskIds: ['1', '2'], requestState: null, ...more })).tasks
    expect(await ask()).toEqual([task('1')])
    expect(await ask({ actorKey: 'b' })).toEqual([])
    expect(await ask({ server: 'r' })).toEqual([])
    expect(await ask({ taskIds: null })).toEqual([listed('1')])
  })

  it('keep what made them', async () => {
    const stub = session()
    await stub.keepTask({ ...WHOSE, ...task('1') })
    expect(await stub.keepTask({ ...WHOSE, ...task('1') })).toBe(true)
    expect(await stub.keepTask({ ...WHOSE, ...task('1'), entry: 'milder' })).toBe(false)
    expect(await stub.keepTask({ ...WHOSE, ...task('1'), arguments: '{"a":1}' })).toBe(false)
    expect(await stub.keepTask({ ...WHOSE, ...task('1'), underTask: null })).toBe(false)
    const { tasks } = await stub.recall({ ...WHOSE, taskIds: ['1'], requestState: null })
    expect(tasks).toEqual([task('1')])
  })

  it('have an end: the oldest goes', async () => {
    const stub = session()
    await runInDurableObject(stub, async (instance) => {
      for (let at = 0; at <= 1_000; at += 1) {
        // oxlint-disable-next-line no-await-in-loop
        await instance.keepTask({ ...WHOSE, ...task(`${at}`) })
      }
    })
    const { tasks } = await stub.recall({ ...WHOSE, taskIds: null, requestState: null })
    expect(tasks).toHaveLength(1_000)
    expect(tasks[0]).toEqual(listed('1'))
  })
})

describe('a sealed state', () => {
  const open = async (stub: ReturnType<typeof session>, requestState: string) =>
    (await stub.recall({ ...WHOSE, taskIds: [], requestState })).state

  it('is opened by the session that sealed it, and by no other', async () => {
    const stub = session()
    const sealed = await stub.seal({ ...VERSION, text: 'ünïcode.and.dots' })
    expect(await open(stub, sealed)).toBe('ünïcode.and.dots')
    expect(await open(session(), sealed)).toBeNull()
  })

  it.each(['', '.', 'x', 'x.text', '.text'])('is not %s', async (text) => {
    expect(await open(session(), text)).toBeNull()
  })

  it('is not opened with anything changed', async () => {
    const stub = session()
    const sealed = await stub.seal({ ...VERSION, text: 'text' })
    for (let at = 0; at < sealed.length; at += 1) {
      const other = `${sealed.slice(0, at)}${sealed[at] === 'x' ? 'y' : 'x'}${sealed.slice(at + 1)}`
      // oxlint-disable-next-line no-await-in-loop
      expect(await open(stub, other), `${at}`).toBeNull()
    }
  })
})
