import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../ports.ts'
import { LocalProblem } from '../problem.ts'
import { startStack, untilHealthy } from '../stack.ts'
import { command } from './command.ts'
import { STEPS } from './demo/steps.ts'
import { Tour } from './demo/tour.ts'
import { stopSignal } from './signals.ts'
import { styled } from './style.ts'

await command(async () => {
  const began = performance.now()
  const state = await mkdtemp(join(tmpdir(), 'sallyport-demo-'))
  const seconds = (): string => `${((performance.now() - began) / 1000).toFixed(1)} s`
  try {
    const stack = await startStack({ ports: await freePorts(), state, fresh: true })
    const told = stopSignal()
    try {
      await untilHealthy(stack)
      console.log(styled('dim', `a stack of its own runs at ${stack.sallyport} (${seconds()})`))
      const tour = new Tour(stack)
      if ((await Promise.race([takeSteps(tour), told])) === 'stop') {
        throw new LocalProblem('interrupted')
      }
      console.log(`\n${tour.verdict()} ${styled('dim', `in ${seconds()}`)}`)
      if (!tour.behaved) process.exitCode = 1
    } finally {
      await stack.stop()
    }
  } finally {
    await rm(state, { recursive: true, force: true })
  }
})

async function takeSteps(tour: Tour): Promise<void> {
  for (const [index, step] of STEPS.entries()) {
    tour.announce(index + 1, step.title)
    await step.run(tour).catch((error: unknown) => tour.fail(error))
  }
}
