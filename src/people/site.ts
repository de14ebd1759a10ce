import type { Issuer } from '../authentication/issuer.ts'
import { isOurs } from '../config.ts'
import { err, ok, type Result } from '../result.ts'
import type { CompiledServer, CompiledTenant } from '../storage/compiled.ts'
import { REVISION } from '../storage/freshness.ts'
import { isLoginIssuer, type LoginIssuer } from './issuer.ts'
import type { People } from './people.ts'
import type { PageRefusal } from './refusal.ts'

/** The server whose page is visited, by rows that were current after the request arrived. */
export interface Site {
  readonly people: People
  readonly request: Request
  /** One of ours, as the browser knows it. */
  readonly origin: string
  readonly name: string
  readonly server: CompiledServer
  readonly compiled: CompiledTenant
}

/**
 * INVARIANT: the server in the path fixes the tenant, and the tenant's rows fix the issuers. Nothing
 * that a browser sends can name another.
 */
export async function openSite(
  people: People,
  request: Request,
  name: string,
): Promise<Result<Site, PageRefusal>> {
  const { config, policies } = people.doors
  if (!isOurs(request, config)) return err('host_not_allowed')
  if (config.unsafe !== null) return err('unsafe_configuration')
  const known = await policies.lastKnown(name)
  if (!known.ok) return err('unavailable')
  if (known.value === null) return err('server_unknown')
  const compiled = await current(people, name, known.value)
  if (compiled === null) return err('unavailable')
  const server = compiled.servers.get(name)
  if (server === undefined) return err('server_unknown')
  if (compiled.unsafe !== null) return err('unsafe_configuration')
  return ok({ people, request, origin: new URL(request.url).origin, name, server, compiled })
}

/** Not more often than a flood may cost, and out of another purse than the one of MCP calls. */
async function current(
  people: People,
  name: string,
  known: CompiledTenant,
): Promise<CompiledTenant | null> {
  if (!people.visits.take(people.now())) return null
  const { policies } = people.doors
  const row = await policies.read((database) =>
    database
      .prepare(`SELECT ${REVISION} AS revision FROM revision WHERE tenant = ?1`)
      .bind(known.tenant)
      .first<{ revision: string }>(),
  )
  if (!row.ok) return null
  if (row.value?.revision === known.revision) return known
  const rows = await policies.refreshed(name, known)
  return rows === 'unknown' ? null : rows === 'same' ? known : rows
}

export const loginIssuers = ({ compiled }: Site): readonly LoginIssuer[] =>
  [...compiled.issuers.values()].filter(isLoginIssuer)

export const accessIssuers = ({ compiled }: Site): readonly Issuer[] =>
  [...compiled.issuers.values()].filter(({ active, kind }) => active && kind === 'access')

/** Whose names this tenant knows, whether their word is taken now or not. */
export const issuersOf = ({ compiled }: Site): ReadonlySet<string> =>
  new Set(compiled.snapshot.tables.issuers.map(({ url }) => url))
