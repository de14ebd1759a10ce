import { parseArgs } from 'node:util'
import { mintToken } from '../issuer-client.ts'
import { LocalProblem } from '../problem.ts'
import { NOTHING_RUNS, findRunningStack, stateFolder } from '../state.ts'
import { command } from './command.ts'

const USAGE =
  'usage: npm run -s token -- --sub alice --client acme-agent [--agent ID] [--scope "…"] ' +
  '[--server NAME | --path access/v1] [--task ID] [--tenant T] [--lifetime SECONDS] [--opaque]'

await command(async () => {
  const { values } = parseArgs({
    options: {
      sub: { type: 'string' },
      client: { type: 'string' },
      agent: { type: 'string' },
      scope: { type: 'string' },
      server: { type: 'string' },
      path: { type: 'string' },
      task: { type: 'string' },
      tenant: { type: 'string' },
      lifetime: { type: 'string' },
      opaque: { type: 'boolean' },
    },
  })
  const { sub, client, lifetime, ...rest } = values
  if (sub === undefined || client === undefined) throw new LocalProblem(USAGE)
  const lifetimeSeconds = lifetime === undefined ? undefined : Number(lifetime)
  if (lifetimeSeconds !== undefined && !Number.isInteger(lifetimeSeconds)) {
    throw new LocalProblem(`--lifetime takes whole seconds, not \`${lifetime}\``)
  }
  const stack = await findRunningStack(stateFolder(process.env))
  if (stack === null) throw new LocalProblem(NOTHING_RUNS)
  console.log(await mintToken(stack, { ...rest, sub, client, lifetimeSeconds }))
})
