/** `npm run policy -- <command> …`: what an author of policies asks before they are applied. */
import { check } from './check/command.ts'
import { explainCommand } from './call/explain-command.ts'
import { test } from './call/test-command.ts'
import { importCommand } from './import/command.ts'
import { messageOf, Mistake } from './mistake.ts'

const USAGE = `usage: npm run policy -- check [paths…] [--json]
       npm run policy -- test [case files…] [--json]
       npm run policy -- explain --tenant T --server S --tool NAME --subject ID --client ID
           [--agent ID] [--args JSON] [--scopes "…"] [--acr VALUE] [--logged-in-seconds-ago N]
           [--sender-constrained] [--ip IP] [--country CC] [--asn N] [--at TIME]
           [--definition changed|unseen] [--result JSON] [paths…]
       npm run -s policy -- import URL --server NAME --tenant T [--header 'Name: value']…
           [--title TEXT] [--internal] [--existing-server] [--repin [--against paths…]]`

type Command = (args: readonly string[]) => boolean | Promise<boolean>

/** Whether all is well: each prints for itself, and a new command is a new line here. */
const COMMANDS: Readonly<Record<string, Command>> = {
  check,
  test,
  explain: explainCommand,
  import: importCommand,
}

const [name = '', ...args] = process.argv.slice(2)
try {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) throw new Mistake(USAGE)
  process.exitCode = (await command(args)) ? 0 : 1
} catch (error) {
  const plain = error instanceof Mistake || isUsageProblem(error)
  console.error(plain ? messageOf(error) : error)
  process.exitCode = 1
}

/** `parseArgs` names the option that it does not know. */
function isUsageProblem(error: unknown): boolean {
  return (
    error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  )
}
