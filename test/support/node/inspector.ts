import { join } from 'node:path'
import { PROJECT } from '../../../local/state.ts'
import { run, type Finished } from './command.ts'

/** What its `--cli` needs is the launcher; the rest of the package is a web page. */
const INSPECTOR = join(
  PROJECT,
  'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
)

export type InspectorEra = 'legacy' | 'auto' | 'modern'

/** One method by the Inspector's command line; `method` is what follows `--method`. */
export const inspect = (
  endpoint: URL,
  token: string,
  era: InspectorEra,
  ...method: string[]
): Promise<Finished> =>
  run(
    [
      INSPECTOR,
      '--cli',
      endpoint.href,
      '--transport',
      'http',
      '--header',
      `Authorization: Bearer ${token}`,
      '--stored-auth-only',
      '--protocol-era',
      era,
      '--format',
      'json',
      '--method',
      ...method,
    ],
    process.env,
  )
