import { env, exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { receiverOf } from '../../../src/signals/parts.ts'
import { heardAt } from '../../../src/signals/liveness.ts'
import { openStream } from '../../../src/signals/receiver.ts'
import { inThisWorld, newUser, ORIGIN, sql } from '../../support/worker/world.ts'
import { callAfter, person, seconds, SSF, tell, withStream } from '../../support/worker/signals.ts'

inThisWorld()
withStream({ max_silence_s: 60 })

const health = async () =>
  (await exports.default.fetch(`${ORIGIN}/healthz`)).json<{ silent_streams: string[] }>()

const state = () =>
  env.DB.prepare('SELECT status, last_heard_at, last_verified_at FROM signal_stream_states').first<{
    status: string
    last_heard_at: number
    last_verified_at: number | null
  }>()

const anHourAgo = 'UPDATE signal_streams SET created_at = (unixepoch() - 3600) * 1000'

describe('a stream', () => {
  it('is given time when it is new, and shown where it falls silent', async () => {
    expect((await health()).silent_streams).toEqual([])
    await sql(anHourAgo)
    const sub = await newUser()
    // `warn`: nothing is stopped.
    expect(await callAfter(sub)).toBe('allowed')
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect((await health()).silent_streams).toEqual(['idp'])
  })

  it('is alive by a verification event, and by any other', async () => {
    await sql(anHourAgo)
    await tell(`${SSF}verification`, { format: 'opaque', id: 'idp' }, { state: 'abc' })
    expect((await state())?.last_verified_at).toBeGreaterThan(Date.now() - 5_000)
    await sql('UPDATE signal_stream_states SET last_heard_at = 1, last_verified_at = 1')
    await tell('https://schemas.example/other', person('alice'))
    const { last_heard_at: heard, last_verified_at: verified } = (await state()) ?? {}
    expect(heard).toBeGreaterThan(Date.now() - 5_000)
    expect(verified).toBe(1)
  })

  it('that says it is paused is as good as silent, until it says otherwise, in any order', async () => {
    await sql("UPDATE signal_streams SET on_silence = 'deny'")
    const sub = await newUser()
    const says = (status: string, ago: number) =>
      tell(`${SSF}stream-updated`, person('x'), { status, event_timestamp: seconds() - ago })
    await says('paused', 20)
    expect(await callAfter(sub)).toBe('signals_silent')
    await says('enabled', 30)
    expect(await callAfter(sub)).toBe('signals_silent')
    await says('enabled', 10)
    expect(await callAfter(sub)).toBe('allowed')
    expect((await state())?.status).toBe('enabled')
  })

  it('that denies by its silence denies nobody of another issuer', async () => {
    await sql(
      anHourAgo,
      `INSERT INTO issuers (tenant, url, jwks_uri) SELECT tenant, 'https://second.example', jwks_uri FROM issuers`,
      "INSERT INTO clients (tenant, issuer, id) VALUES ('acme', 'https://second.example', 'acme-agent')",
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role)
       VALUES ('acme', 'https://second.example', 'user', 'carol', 'sales')`,
      "UPDATE signal_streams SET on_silence = 'deny'",
    )
    expect(await callAfter('carol', 0, { iss: 'https://second.example' })).toBe('allowed')
    expect(await callAfter(await newUser())).toBe('signals_silent')
    await sql('UPDATE signal_streams SET active = 0')
    expect(await callAfter(await newUser())).toBe('allowed')
  })

  it('that is polled is alive by its answers, which are noted once a minute at most', async () => {
    const stream = await openStream(receiverOf(env), 'idp')
    if (!stream.ok) throw new Error('no stream')
    const polled = {
      ...stream.value,
      poll: { url: new URL('https://a.example'), everySeconds: 300 },
    }
    const at = Date.now()
    await heardAt(receiverOf(env), polled, at)
    await heardAt(receiverOf(env), polled, at + 30_000)
    expect((await state())?.last_heard_at).toBe(at)
    await heardAt(receiverOf(env), polled, at + 60_000)
    expect((await state())?.last_heard_at).toBe(at + 60_000)
  })
})
