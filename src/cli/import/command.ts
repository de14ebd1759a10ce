import { parseArgs } from 'node:util'
import { trustedUrl } from '../../authentication/url.ts'
import { quote } from '../../mcp/quote.ts'
import { listCatalogue } from '../../upstream/list-tools.ts'
import { Mistake } from '../mistake.ts'
import { buildScratch } from '../scratch/scratch.ts'
import { sqlSources } from '../scratch/sources.ts'
import { select } from '../scratch/tenant-rows.ts'
import { migrationFor } from './migration.ts'
import { pinListed, type PinnedTool } from './pin.ts'
import { repinFor, type EarlierTool } from './repin.ts'

const TIMEOUT_MS = 30_000

const text = { type: 'string' } as const
const several = { type: 'string', multiple: true } as const
const flag = { type: 'boolean', default: false } as const
const OPTIONS = {
  server: text,
  tenant: text,
  title: text,
  header: several,
  internal: flag,
  'existing-server': flag,
  repin: flag,
  against: several,
} as const

/** Prints SQL on stdout; nothing is written anywhere. */
export async function importCommand(args: readonly string[]): Promise<boolean> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: OPTIONS,
  })
  const [address, ...paths] = positionals
  const { server, tenant, against = [] } = values
  if (address === undefined || server === undefined || tenant === undefined) {
    throw new Mistake('import needs the URL of an MCP server, --server and --tenant')
  }
  const place = { server: nameIn('--server', server), tenant: nameIn('--tenant', tenant) }
  // `--against a.sql b.sql`, as a shell writes `--against *.sql`.
  if (paths.length > 0 && against.length === 0) {
    throw new Mistake(`what is ${quote(paths[0] ?? '')}? Files are given with --against`)
  }
  if (against.length > 0 && !values.repin) throw new Mistake('--against belongs to --repin')
  const earlier = against.length === 0 ? null : readEarlier(place, [...against, ...paths])
  const endpoint = endpointIn(address)
  const listed = await list(endpoint, headersIn(values.header ?? []))
  process.stdout.write(
    values.repin
      ? repinFor(place, listed, earlier)
      : migrationFor(
          {
            ...place,
            url: endpoint.href,
            title: values.title ?? '',
            internal: values.internal,
            existingServer: values['existing-server'],
          },
          listed,
        ),
  )
  return true
}

async function list(
  endpoint: URL,
  headers: Readonly<Record<string, string>>,
): Promise<PinnedTool[]> {
  const listed = await listCatalogue(endpoint, { fetch, headers, timeoutMs: TIMEOUT_MS }, [
    'tools/list',
    'prompts/list',
    'resources/list',
    'resources/templates/list',
  ])
  if (!listed.ok) throw new Mistake(`the server at ${quote(endpoint.host)}: ${listed.error}`)
  if (listed.value.length === 0) {
    throw new Mistake(`the server at ${quote(endpoint.host)} lists nothing`)
  }
  return await Promise.all(listed.value.map(pinListed))
}

/** As a deployment will read it, or as a developer's own stack does. */
function endpointIn(address: string): URL {
  const trusted = trustedUrl(address, { allowLoopback: true, ownHosts: new Set() })
  if (!trusted.ok) throw new Mistake(`not the address of an MCP server: ${trusted.error}`)
  return trusted.value
}

/** As the tables take them. */
function nameIn(option: string, name: string): string {
  if (/^[a-z0-9-]{1,63}$/.test(name)) return name
  throw new Mistake(`${option} must be 1 to 63 of a-z, 0-9 and -, not ${quote(name)}`)
}

/** INVARIANT: what a header says is in no message: it is a credential. */
function headersIn(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const [, name = '', value = ''] =
      /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\x21-\x7e \t]+)$/.exec(line) ?? []
    if (name === '') throw new Mistake("a --header must read 'Name: value'")
    headers[name.toLowerCase()] = value.trimEnd()
  }
  return headers
}

function readEarlier(
  { tenant, server }: { readonly tenant: string; readonly server: string },
  paths: readonly string[],
): EarlierTool[] {
  const { database, refusals } = buildScratch(sqlSources(paths))
  const [refusal] = refusals
  if (refusal !== undefined) {
    throw new Mistake(`${refusal.origin.source.name} is refused: ${refusal.message}`)
  }
  return select<EarlierTool>(
    database,
    `SELECT name, definition_hash AS hash, definition FROM tools
     WHERE tenant = ? AND server = ? ORDER BY name`,
    tenant,
    server,
  )
}
