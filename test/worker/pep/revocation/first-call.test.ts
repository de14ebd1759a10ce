import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { assertNothingLeaked } from '../../../support/worker/client-credentials.ts'
import { propertyRuns } from '../../../support/property-runs.ts'
import { withLogin } from '../../../support/worker/pages.ts'
import { withAccess } from '../../../support/worker/access.ts'
import { withStream } from '../../../support/worker/signals.ts'
import { behaviour, inThisWorld, seen, verdict } from '../../../support/worker/world.ts'
import { withAdministrator } from './console-ends.ts'
import { deckOf, nameOf, randomOf, WAYS, type Way } from './channels.ts'
import { forgetTokens, type Person } from './ends.ts'
import {
  bystander,
  bystanderBody,
  callBody,
  openLane,
  ready,
  twoKeyNames,
  type Lane,
  type Ready,
  type Shown,
} from './lanes.ts'
import { recordsOf } from './records.ts'

inThisWorld()
withLogin()
withAccess()
withStream()

const LANES = 12
/** Then other people take over, and the records of these are read. */
const ROUNDS_OF_A_PERSON = 20
/** Of the person who is revoked, at most, each sent at a moment of its own around the commit. */
const RACING = 2
const MOMENTS = 6

/** Each round is a dozen durable writes: a short run is shorter than a tenth. */
const { numRuns, seed } = propertyRuns(env.PROPERTY_RUNS === 'full' ? 10_000 : 1_500, env)

const random = randomOf(seed)

/** So many readings of nothing. Where this much goes on, a clock would strike long after its time. */
async function moments(most: number): Promise<void> {
  const nothing = env.DB.prepare('SELECT 1')
  for (let left = Math.floor(random() * (most + 1)); left > 0; left -= 1) await nothing.run()
}

/** The calls that reached the upstream, by the number that each carries. */
const arrived = new Set<number>()

function recordingUpstream(): void {
  behaviour.upstream = async (request) => {
    const { id, params } = await request.json<{
      id: number
      params: { arguments: { call: number } }
    }>()
    arrived.add(params.arguments.call)
    await moments(MOMENTS)
    return Response.json({ jsonrpc: '2.0', id, result: { content: [] } })
  }
}

interface Sent {
  readonly number: number
  readonly sub: string
  /** It was sent when the commit had been acknowledged. */
  readonly after: boolean
  readonly code: string
  readonly decision: string | null
}

let calls = 0

async function callOf(shown: Shown, body: (args: object) => string) {
  calls += 1
  return { number: calls, send: await ready(shown, 'POST', body({ call: calls })) }
}

const outcome = async (
  { number, send }: { number: number; send: Ready },
  sub: string,
  after: boolean,
): Promise<Sent> => {
  const { code, decision } = await verdict(await send())
  return { number, sub, after, code, decision }
}

interface Round {
  readonly of: Way
  readonly before: Sent
  /** The first that was sent after the commit. */
  readonly probe: Sent
  readonly racing: readonly Sent[]
  readonly other: Sent
}

/** Committed at a random moment, with calls of the same person and of somebody else under way. */
async function play(end: Way, one: Person, other: Person): Promise<Round> {
  const { shown, commit, lift } = await end.plot(one)
  const before = await outcome(await callOf(shown, callBody), one.sub, false)
  const ofOther = await callOf(await bystander(other.lane, other.sub), bystanderBody)
  const first = await callOf(shown, callBody)
  const others = []
  const most = Math.floor(random() * (RACING + 1))
  for (let n = 0; n < most; n += 1) others.push(await callOf(shown, callBody))

  let isCommitted = false
  const racing = others.map(async (call) => {
    await moments(MOMENTS)
    return outcome(call, one.sub, isCommitted)
  })
  await moments(MOMENTS)
  await commit()
  isCommitted = true
  const probing = outcome(first, one.sub, true)
  const standingBy = outcome(ofOther, other.sub, true)
  const round = {
    of: end,
    before,
    probe: await probing,
    racing: await Promise.all(racing),
    other: await standingBy,
  }
  await lift()
  return round
}

/** Nothing is decided by what could not be read in time, which a busy machine brings about. */
const UNREADABLE = 'facts_unavailable'
const LETS = new Set(['allowed', UNREADABLE])

/** What is wrong with a round; nothing, if all is well. */
function faultsOf({ of, before, probe, racing, other }: Round): string[] {
  const fault = (what: string, { code }: Sent) => `${nameOf(of)}: ${what} was ${code}`
  const sentAfter = [probe, ...racing].filter(({ after }) => after)
  const underWay = racing.filter(({ after }) => !after)
  const isSaid = ({ code }: Sent) => code === of.code || code === UNREADABLE
  const mayBe = new Set(['allowed', 'result_withheld', UNREADABLE, of.code])
  return [
    ...(LETS.has(before.code) ? [] : [fault('the call before', before)]),
    ...sentAfter.filter((one) => !isSaid(one)).map((one) => fault('a call after it', one)),
    ...sentAfter
      .filter(({ number }) => arrived.has(number))
      .map((one) => fault('what reached the upstream after it', one)),
    ...underWay.filter(({ code }) => !mayBe.has(code)).map((one) => fault('one under way', one)),
    ...(!of.spares || LETS.has(other.code) ? [] : [fault('somebody else', other)]),
  ]
}

/** Every call is on record, in one state, and that state is what its client was told. */
async function recordFaults(
  rounds: readonly Round[],
  people: readonly Person[],
): Promise<string[]> {
  const rows = (await Promise.all(people.map(recordsOf))).flat()
  const known = new Map(rows.map((row) => [row.id, row]))
  const sent = rounds.flatMap(({ of, before, probe, racing, other }) =>
    [before, probe, ...racing, other].map((call) => ({ of, call })),
  )
  const count = (code: string) => sent.filter(({ call }) => call.code === code).length
  const came = (state: string | null) =>
    rows.filter(({ decision, outcome: of }) => decision === 'allow' && of === state).length
  const faults = sent.flatMap(({ of, call }) => {
    // The row of its issuer was gone: then nobody knows whose call it was.
    if (LETS.has(call.code) || (call.code === of.code && of.refusal === null)) return []
    const row = known.get(call.decision ?? '')
    if (row?.decision !== 'deny') return [`${nameOf(of)}: ${call.code} is not on record`]
    if (call.code !== of.code) return []
    const refusal = JSON.parse(row.refusal ?? '{}') as Record<string, unknown>
    const isSaid = Object.entries(of.refusal ?? {}).every(
      ([name, value]) => refusal[name] === value,
    )
    return isSaid ? [] : [`${nameOf(of)}: on record is ${row.refusal}`]
  })
  return [
    ...faults,
    ...(came(null) === 0 ? [] : [`${came(null)} calls without an outcome`]),
    ...(came('committed') === count('allowed')
      ? []
      : [`${count('allowed')} answers, ${came('committed')} committed`]),
    ...(came('withheld') === count('result_withheld') ? [] : ['withheld, and not on record']),
  ]
}

async function playLane(
  rounds: number,
  next: () => Way,
  one: Person,
  other: Person,
): Promise<Round[]> {
  const played: Round[] = []
  for (let n = 0; n < rounds; n += 1) played.push(await play(next(), one, other))
  return played
}

describe('what ends at a random moment, by every kind of key and through every channel', () => {
  it(
    'is refused at the first call that is sent after the commit, and at all others',
    { timeout: 3_600_000 },
    async () => {
      twoKeyNames()
      recordingUpstream()
      const lanes: Lane[] = []
      for (let n = 0; n < LANES; n += 1) {
        const lane = await openLane(n)
        await withAdministrator(lane)
        lanes.push(lane)
      }
      const next = deckOf(random)
      const faults: string[] = []
      const tally = new Map<string, number>()
      const told = { probes: 0, after: 0, underWay: 0, let: 0, withheld: 0, unreadable: 0 }
      for (let block = 0; told.probes < numRuns; block += 1) {
        const share = Math.ceil(Math.min(numRuns - told.probes, LANES * ROUNDS_OF_A_PERSON) / LANES)
        const cast = lanes.map(
          (lane) =>
            [
              { lane, sub: `one-${block}` },
              { lane, sub: `another-${block}` },
            ] as const,
        )
        const rounds = (
          await Promise.all(cast.map(([one, other]) => playLane(share, next, one, other)))
        ).flat()
        faults.push(...rounds.flatMap(faultsOf), ...(await recordFaults(rounds, cast.flat())))
        for (const { of, probe, racing } of rounds) {
          tally.set(nameOf(of), (tally.get(nameOf(of)) ?? 0) + (probe.code === 'allowed' ? 0 : 1))
          told.probes += 1
          told.unreadable += probe.code === UNREADABLE ? 1 : 0
          told.after += racing.filter(({ after }) => after).length
          const underWay = racing.filter(({ after }) => !after)
          told.underWay += underWay.length
          told.let += underWay.filter(({ code }) => code === 'allowed').length
          told.withheld += underWay.filter(({ code }) => code === 'result_withheld').length
        }
        assertNothingLeaked()
        forgetTokens()
        arrived.clear()
        seen.length = 0
      }
      const refused = [...tally.values()].reduce((sum, one) => sum + one, 0)
      console.log(
        `revoked: ${refused} of ${told.probes} first calls refused;`,
        JSON.stringify(told),
      )
      console.log(Object.fromEntries([...tally].toSorted(([a], [b]) => (a < b ? -1 : 1))))
      expect(faults).toEqual([])
      expect(refused).toBe(told.probes)
      expect(told.probes).toBeGreaterThanOrEqual(numRuns)
      expect(tally.size).toBe(new Set(WAYS.map(nameOf)).size)
    },
  )
})
