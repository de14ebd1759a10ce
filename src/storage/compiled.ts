import { and, asc, eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import { parseAlgorithms, type Issuer } from '../authentication/issuer.ts'
import { trustedUrl } from '../authentication/url.ts'
import { isLoopbackHost, type Config } from '../config.ts'
import type { ServerFacts } from '../pdp/evaluation.ts'
import { compilePolicies, type PolicySet } from '../pdp/policy.ts'
import { compileRules } from '../pdp/sequence/advance.ts'
import type { SequenceRuleRow } from '../pdp/sequence/rule.ts'
import { compileTools, scopesOf, type ToolCatalogue, type ToolRow } from '../pdp/tools.ts'
import type { D1Reader } from './freshness.ts'
import * as schema from './schema.ts'

/** One tenant's compiled rows at one revision. Built once per revision and isolate. */
export interface CompiledTenant {
  readonly tenant: string
  readonly revision: string
  readonly issuers: ReadonlyMap<string, Issuer>
  readonly servers: ReadonlyMap<string, CompiledServer>
  readonly policies: PolicySet
  readonly sequenceRules: readonly SequenceRuleRow[]
  /** Why these rows must not be served behind a public origin, or null. */
  readonly unsafe: string | null
  /** Rows that cannot be used as they are, in words for the operator. Each fails closed. */
  problems(): readonly string[]
}

export interface CompiledServer {
  readonly facts: ServerFacts
  readonly title: string
  /** The upstream's MCP endpoint. Of a server whose row has none that may be called, `about:blank`. */
  readonly url: URL
  readonly tools: ToolCatalogue
}

/** Reads and compiles in one transaction, so that rows and revision are of one moment. */
export async function loadTenant(
  database: D1Reader,
  tenant: string,
  config: Config,
): Promise<CompiledTenant | null> {
  // A session reads like a database; the adapter's type knows only the latter.
  const db = drizzle(database as D1Database)
  const { revision, issuers, servers, tools, toolLabels, policies, sequenceRules } = schema
  const [revisions, issuerRows, serverRows, toolRows, labelRows, policyRows, ruleRows] =
    await db.batch([
      db.select().from(revision).where(eq(revision.tenant, tenant)),
      db.select().from(issuers).where(eq(issuers.tenant, tenant)),
      db.select().from(servers).where(eq(servers.tenant, tenant)),
      db.select().from(tools).where(eq(tools.tenant, tenant)),
      db.select().from(toolLabels).where(eq(toolLabels.tenant, tenant)),
      db
        .select()
        .from(policies)
        .where(and(eq(policies.tenant, tenant), eq(policies.enabled, true)))
        .orderBy(asc(policies.id)),
      db
        .select()
        .from(sequenceRules)
        .where(and(eq(sequenceRules.tenant, tenant), eq(sequenceRules.enabled, true)))
        .orderBy(asc(sequenceRules.id)),
    ])
  const [current] = revisions
  if (current === undefined) return null
  const revisionText = `${current.counter}:${current.nonce}`
  const trusted = compileIssuers(issuerRows, config)
  const catalogue = compileServers(serverRows, toolRows, labelRows, config)
  const policySet = compilePolicies(policyRows)
  for (const problem of [...trusted.problems, ...catalogue.problems]) console.warn(problem)
  return {
    tenant,
    revision: revisionText,
    issuers: trusted.byUrl,
    servers: catalogue.byName,
    policies: policySet,
    sequenceRules: ruleRows,
    unsafe: config.local ? null : localTrust(issuerRows, serverRows),
    problems: () => [
      ...trusted.problems,
      ...catalogue.problems,
      ...policySet
        .problems()
        .map(
          ({ id, problem }) =>
            `policy \`${id}\`: ${problem.message} (${problem.line}:${problem.column})`,
        ),
      ...compileRules(revisionText, ruleRows)
        .problems()
        .map(({ id, problem }) => `sequence rule \`${id}\`: ${problem}`),
    ],
  }
}

type IssuerRow = typeof schema.issuers.$inferSelect
type ServerRow = typeof schema.servers.$inferSelect
type ToolTableRow = typeof schema.tools.$inferSelect
type LabelRow = typeof schema.toolLabels.$inferSelect

/** INVARIANT: an issuer whose row cannot be used is no issuer: its tokens are refused. */
function compileIssuers(rows: readonly IssuerRow[], config: Config) {
  const byUrl = new Map<string, Issuer>()
  const problems: string[] = []
  for (const row of rows) {
    const algorithms = parseAlgorithms(row.algorithms)
    const url = trustedUrl(row.url, urlRules(config))
    const keys = trustedUrl(row.jwksUri, urlRules(config))
    const problem = [algorithms, url, keys].find((part) => !part.ok)
    if (problem !== undefined && !problem.ok)
      problems.push(`issuer \`${row.url}\`: ${problem.error}`)
    if (!algorithms.ok || !url.ok || !keys.ok) continue
    byUrl.set(row.url, {
      tenant: row.tenant,
      url: row.url,
      jwksUri: row.jwksUri,
      algorithms: algorithms.value,
      tenantClaim: row.tenantClaim,
      maxLifetimeSeconds: row.maxLifetimeSeconds,
      active: row.active,
    })
  }
  return { byUrl, problems }
}

function compileServers(
  rows: readonly ServerRow[],
  tools: readonly ToolTableRow[],
  labels: readonly LabelRow[],
  config: Config,
) {
  const toolsOf = Map.groupBy(tools, (tool) => tool.server)
  const labelsOf = Map.groupBy(labels, (label) => toolKey(label.server, label.tool))
  const byName = new Map<string, CompiledServer>()
  const problems: string[] = []
  for (const row of rows) {
    const url = trustedUrl(row.url, urlRules(config))
    if (!url.ok) problems.push(`server \`${row.name}\`: ${url.error}`)
    const described = (toolsOf.get(row.name) ?? []).map((tool): ToolRow => ({
      name: tool.name,
      access: tool.access,
      requiredScope: tool.requiredScope,
      labelsReviewed: tool.labelsReviewed,
      labels: (labelsOf.get(toolKey(tool.server, tool.name)) ?? []).map(({ label }) => label),
    }))
    byName.set(row.name, {
      facts: {
        name: row.name,
        // A url that must not be called is as good as none.
        active: row.active && url.ok,
        internal: row.internal,
        requiredScopes: scopesOf(row.requiredScope),
      },
      title: row.title,
      url: url.ok ? url.value : new URL('about:blank'),
      tools: compileTools(described, row.internal),
    })
  }
  return { byName, problems }
}

/** A demo issuer would let anybody in; a loopback address is whatever runs on that machine. */
export function localTrust(
  issuers: readonly Pick<IssuerRow, 'demo' | 'url' | 'jwksUri'>[],
  servers: readonly Pick<ServerRow, 'name' | 'url'>[],
): string | null {
  const issuer = issuers.find((row) => row.demo || isLocalUrl(row.url) || isLocalUrl(row.jwksUri))
  if (issuer !== undefined) return `issuer \`${issuer.url}\` is for a local demo only`
  const server = servers.find((row) => isLocalUrl(row.url))
  return server === undefined ? null : `server \`${server.name}\` has a loopback address`
}

const isLocalUrl = (text: string): boolean =>
  URL.canParse(text) && isLoopbackHost(new URL(text).hostname)

const toolKey = (server: string, tool: string): string => `${server}/${tool}`

const urlRules = (config: Config) => ({
  allowLoopback: config.allowLoopback,
  ownHosts: config.hosts,
})
