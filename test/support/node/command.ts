import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { PROJECT } from '../../../local/state.ts'

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandPlace {
  readonly state: string
  readonly port?: number
}

/** Runs `local/commands/NAME.ts` to its end. */
export function runCommand(name: string, args: string[], place: CommandPlace): Promise<Finished> {
  return run([join(PROJECT, 'local/commands', `${name}.ts`), ...args], environmentOf(place))
}

/** Runs a script with this Node to its end; never throws for an exit code. */
export function run(argv: string[], environment: NodeJS.ProcessEnv): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      argv,
      { cwd: PROJECT, env: environment },
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

/** Starts `local/commands/start.ts` and waits until it prints `ready`. */
export async function startCommand(args: string[], place: CommandPlace): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(PROJECT, 'local/commands/start.ts'), ...args], {
    cwd: PROJECT,
    env: environmentOf(place),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const listen = (text: string): void => {
      said += text
      if (/^ready$/m.test(said)) resolve()
    }
    child.stdout.setEncoding('utf8').on('data', listen)
    child.stderr.setEncoding('utf8').on('data', listen)
    child.once('exit', (code) => reject(new Error(`start ended with ${code}:\n${said}`)))
  })
  return child
}

export async function stopCommand(child: ChildProcess): Promise<number | null> {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
  return child.exitCode
}

const environmentOf = ({ state, port }: CommandPlace): NodeJS.ProcessEnv => ({
  ...process.env,
  NO_COLOR: '1',
  SALLYPORT_STATE: state,
  ...(port === undefined ? {} : { SALLYPORT_PORT: String(port) }),
})
