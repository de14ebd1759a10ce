import { parseArgs } from 'node:util'
import { startFixture } from '../conformance/fixture/start.ts'
import { KINDS, runClientRound, runServerRound, type Outcome } from '../conformance/rounds.ts'
import { startSubject } from '../conformance/subject.ts'
import { ROUNDS, SPECS, SUITES, endSuites } from '../conformance/suites.ts'
import { LocalProblem, messageOf } from '../problem.ts'
import { command } from './command.ts'
import { stopSignal } from './signals.ts'
import { styled } from './style.ts'

await command(async () => {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      upstream: { type: 'string' },
      spec: { type: 'string' },
      suite: { type: 'string', default: 'all' },
      only: { type: 'string' },
    },
  })
  const spec = values.spec === undefined ? null : oneOf('--spec', SPECS, values.spec)
  const suite = oneOf('--suite', SUITES, values.suite)
  const rounds = ROUNDS.filter((round) => spec === null || round.spec === spec)
  const kinds = values.only === undefined ? KINDS : [oneOf('--only', KINDS, values.only)]
  const say = (line: string): void => {
    if (!values.json) console.log(line)
  }

  const fixture = values.upstream === undefined ? await startFixture() : null
  const upstream = values.upstream ?? `http://127.0.0.1:${fixture?.port}/mcp`
  await requireAnswer(upstream)
  const outcomes: Outcome[] = []
  try {
    const subject = await startSubject()
    const told = stopSignal()
    try {
      for (const kind of kinds) {
        for (const round of rounds) {
          const running =
            kind === 'server'
              ? runServerRound(round, suite, subject, upstream)
              : runClientRound(round, subject)
          const outcome = await Promise.race([running, told])
          if (outcome === 'stop') throw new LocalProblem('interrupted')
          if (outcome === null) continue
          outcomes.push(outcome)
          say(line(outcome))
        }
      }
    } finally {
      endSuites()
      await subject.stop()
    }
  } finally {
    await fixture?.stop()
  }
  // Two servers that pass nothing are equal as well, and show nothing.
  const equal =
    outcomes.some(({ passedDirect }) => passedDirect > 0) &&
    outcomes.every(({ differences }) => differences.length === 0)
  if (values.json) console.log(JSON.stringify({ equal, rounds: outcomes }))
  else console.log(verdict(outcomes, equal))
  process.exitCode = equal ? 0 : 1
})

/** Where nobody listens both runs would fail alike. */
async function requireAnswer(upstream: string): Promise<void> {
  const answer = await fetch(upstream, { method: 'OPTIONS' }).catch((error: unknown) => {
    throw new LocalProblem(`nothing answers at \`${upstream}\`: ${messageOf(error)}`)
  })
  await answer.body?.cancel()
}

function oneOf<T extends string>(option: string, known: readonly T[], text: string): T {
  const found = known.find((one) => one === text)
  if (found === undefined) throw new LocalProblem(`${option} takes one of ${known.join(', ')}`)
  return found
}

function line(outcome: Outcome): string {
  const { kind, release, spec, checks, passedDirect, passedThrough, differences, otherwise } =
    outcome
  const mark = differences.length === 0 ? styled('green', '✓') : styled('red', '✗')
  const numbers = `of ${checks} passed ${passedDirect} directly, ${passedThrough} through Sallyport`
  const head = `${mark} ${kind} ${release.padEnd(15)} ${spec.padEnd(11)} ${numbers}`
  const rest = [...differences, ...otherwise].map(
    ({ scenario, check, direct, through, message }) =>
      `    ${scenario}: ${check}: ${direct} → ${through}${message === null ? '' : `\n      ${message}`}`,
  )
  return [`${head} ${styled('dim', `${outcome.seconds.toFixed(1)} s`)}`, ...rest].join('\n')
}

function verdict(outcomes: readonly Outcome[], equal: boolean): string {
  if (equal) return styled('green', 'the sets of passed checks are equal')
  const differences = outcomes.flatMap((outcome) => outcome.differences)
  // Gained where Sallyport refuses what the server should have refused.
  const gained = differences.filter(({ direct }) => direct !== 'SUCCESS').length
  return styled(
    'red',
    differences.length === 0
      ? 'nothing passed, not even directly'
      : `${differences.length - gained} checks lost, ${gained} gained`,
  )
}
