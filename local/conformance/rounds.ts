import { join } from 'node:path'
import { PROJECT } from '../state.ts'
import { compare, type Comparison } from './compare.ts'
import { openDoor } from './door.ts'
import { startShim } from './shim.ts'
import type { Subject } from './subject.ts'
import {
  clientScenarios,
  testClient,
  testServer,
  type Check,
  type Round,
  type Suite,
} from './suites.ts'

export interface Outcome extends Round, Comparison {
  readonly kind: Kind
  readonly seconds: number
}

export const KINDS = ['server', 'client'] as const
export type Kind = (typeof KINDS)[number]

/** A round of server scenarios, first without Sallyport and then through it. */
export async function runServerRound(
  round: Round,
  suite: Suite,
  subject: Subject,
  upstream: string,
): Promise<Outcome> {
  const began = performance.now()
  const { endpoint, token } = await subject.serve(upstream)
  const direct = await startShim(new URL(upstream))
  const through = await startShim(endpoint, token)
  try {
    const checks = await testServer(round, suite, direct.url)
    const others = await testServer(round, suite, through.url)
    const seconds = (performance.now() - began) / 1000
    return { ...round, kind: 'server', ...compare(checks, others), seconds }
  } finally {
    await Promise.all([direct.stop(), through.stop()])
  }
}

/**
 * A round of client scenarios: the suite plays the server, and Sallyport stands between the two.
 * Those of OAuth are left out, for there Sallyport's own metadata is what a client meets.
 */
export async function runClientRound(round: Round, subject: Subject): Promise<Outcome | null> {
  const began = performance.now()
  const scenarios = await clientScenarios(round)
  if (scenarios.length === 0) return null
  const direct: Check[] = []
  const through: Check[] = []
  for (const scenario of scenarios) {
    const [one, other] = await Promise.all([
      playScenario(round, scenario, null),
      playScenario(round, scenario, subject),
    ])
    direct.push(...one)
    through.push(...other)
  }
  const seconds = (performance.now() - began) / 1000
  return { ...round, kind: 'client', ...compare(direct, through), seconds }
}

const COMMAND = `${process.execPath} ${join(PROJECT, 'local/conformance/client/command.ts')}`

async function playScenario(
  round: Round,
  scenario: string,
  subject: Subject | null,
): Promise<Check[]> {
  const door = await openDoor(subject)
  try {
    const checks = await testClient(round, scenario, COMMAND, { CONFORMANCE_DOOR: door.url })
    const failure = door.failure()
    return [
      ...checks,
      {
        scenario,
        id: 'client-finished',
        name: 'ClientFinished',
        status: failure === null ? 'SUCCESS' : 'FAILURE',
        message: failure ?? null,
      },
    ]
  } finally {
    await door.stop()
  }
}
