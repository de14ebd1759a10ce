import type { Doors } from '../pep/doors.ts'
import { silentStreams } from '../signals/liveness.ts'
import type { Health } from '../storage/policy-store.ts'
import type { UpstreamCredentials } from '../upstream/credentials/credentials.ts'
import { OWN_KEYS, type OwnKeyTexts } from '../upstream/credentials/own-keys.ts'

/** How the log keeps up: how long the last record took to arrive, and when that was. */
interface LogState {
  readonly lastShippedAt: number | null
  readonly lastLagMs: number | null
}

/**
 * Liveness for machines, and the reason for people when nothing is served: 200 only if a call
 * could be decided now. Names no tenant: the door is open to everybody.
 */
export async function healthResponse(doors: Doors, log: D1Database): Promise<Response> {
  const { config, policies, credentials, unrecorded } = doors
  const state = await policies.health()
  const records = await logState(log)
  const silent = await silentStreams((read) => policies.read(read))
  const keys = state.ok ? await keyFaults(state.value, credentials) : []
  const reasons = [
    ...(config.unsafe === null ? [] : [config.unsafe]),
    ...(state.ok ? [] : [state.error.kind === 'unsafe' ? state.error.detail : 'D1 cannot be read']),
    ...(records === null ? ['the decision log cannot be read'] : []),
    ...keys,
  ]
  const serving = config.unsafe === null && state.ok
  return Response.json(
    {
      status: serving ? 'ok' : 'not serving',
      reasons,
      revision: state.ok ? state.value.revision : null,
      broken_rows: state.ok ? state.value.brokenRows : null,
      // Not fully enforced yet, so whoever watches this deployment should know.
      observed: state.ok
        ? state.value.observed.map(({ server, until }) => ({
            server,
            until: new Date(until).toISOString(),
          }))
        : null,
      // Streams of signals that are not heard: what they would tell is not known here.
      silent_streams: silent.ok ? silent.value : null,
      records: records ?? undefined,
      // Of this isolate alone: nobody was known yet, so there is no session to record in.
      refused_unrecorded: Object.fromEntries(unrecorded),
    },
    { status: serving ? 200 : 503, headers: { 'cache-control': 'no-store' } },
  )
}

/**
 * Where our own keys are not what the servers' rows need: calls to those are refused, all others are
 * served. Fixed texts, with nothing of a key in them.
 */
async function keyFaults(
  { credentials: kinds }: Health,
  { signing, sealing }: UpstreamCredentials,
): Promise<readonly string[]> {
  const needed = new Set<keyof OwnKeyTexts>([...kinds].flatMap((kind) => OWN_KEYS[kind]))
  const read = { SIGNING_KEYS: signing, SEALING_KEYS: sealing }
  const told = [...needed].map(async (name) => {
    const keys = await read[name]()
    return keys.ok ? [] : [`${name}: ${keys.error}`]
  })
  return (await Promise.all(told)).flat()
}

/** A log that is down does not stop calls: sessions keep their records until it is back. */
async function logState(log: D1Database): Promise<LogState | null> {
  try {
    const row = await log
      .prepare('SELECT shipped_at, decided_at FROM decisions ORDER BY rowid DESC LIMIT 1')
      .first<{ shipped_at: number; decided_at: number }>()
    return {
      lastShippedAt: row?.shipped_at ?? null,
      lastLagMs: row === null ? null : row.shipped_at - row.decided_at,
    }
  } catch {
    return null
  }
}
