import { createHash } from 'node:crypto'
import type { Issuer } from '../authentication/issuer.ts'
import { trustedUrl } from '../authentication/url.ts'
import { isLoopbackHost, resourceOf, type Config } from '../config.ts'
import type { ConditionProblem } from '../pdp/condition.ts'
import type { ServerFacts } from '../pdp/evaluation.ts'
import { NO_FLOWS, type ToolFlows } from '../pdp/flows.ts'
import { compilePolicies, type PolicySet } from '../pdp/policy.ts'
import { compileRules, type RuleSet } from '../pdp/sequence/advance.ts'
import type { SequenceRuleRow } from '../pdp/sequence/rule.ts'
import { compileTools, scopesOf, type ToolCatalogue } from '../pdp/tools.ts'
import { err, type Result } from '../result.ts'
import { compileCredential, type ServerCredential } from './compiled-credentials.ts'
import { compileIssuers } from './compiled-issuers.ts'
import type { D1Reader } from './freshness.ts'
import { readTenantTables, type TenantSnapshot, type TenantTables } from './tenant-tables.ts'
import { toolFlowsByServer, toolRowsByServer } from './tool-rows.ts'

/** One tenant's compiled rows at one revision. Built once per revision and isolate. */
export interface CompiledTenant {
  readonly tenant: string
  readonly revision: string
  /** What it was compiled from: the next one may only have to take in what changed since. */
  readonly snapshot: TenantSnapshot
  readonly issuers: ReadonlyMap<string, Issuer>
  readonly servers: ReadonlyMap<string, CompiledServer>
  readonly policies: PolicySet
  readonly sequenceRules: readonly SequenceRuleRow[]
  readonly rules: RuleSet
  /** Equal where the rules over history are, and where the labels of all tools are. */
  readonly rulesKey: string
  readonly labelsKey: string
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
  /** A DPoP proof for it must carry a nonce of ours. */
  readonly dpopNonce: boolean
  /** What a call to it carries. */
  readonly credential: ServerCredential
  /** SHA-256 of the password with which it asks at /introspect; null: it does not. */
  readonly introspectionDigest: string | null
  readonly tools: ToolCatalogue
  /** What rows say of flows of data through this tool. */
  flows(tool: string): ToolFlows
}

/** null: no such tenant. */
export async function loadTenant(
  database: D1Reader,
  tenant: string,
  config: Config,
  known?: CompiledTenant,
): Promise<CompiledTenant | null> {
  const snapshot = await readTenantTables(database, tenant, known?.snapshot)
  return snapshot === null ? null : compileTenant(tenant, snapshot, config)
}

export function compileTenant(
  tenant: string,
  snapshot: TenantSnapshot,
  config: Config,
): CompiledTenant {
  const { revision, tables } = snapshot
  const trusted = compileIssuers(tables.issuers, urlRules(config))
  const catalogue = compileServers(tables, config, trusted.byUrl)
  const policies = compilePolicies(tables.policies)
  const { sequenceRules } = tables
  const rulesKey = digestOf(sequenceRules)
  const rules = compileRules(rulesKey, sequenceRules)
  for (const problem of [...trusted.problems, ...catalogue.problems]) console.warn(problem)
  return {
    tenant,
    revision,
    snapshot,
    issuers: trusted.byUrl,
    servers: catalogue.byName,
    policies,
    sequenceRules,
    rules,
    rulesKey,
    labelsKey: digestOf([
      tables.servers.map(({ name, internal }) => [name, internal]),
      tables.tools.map(({ server, name, access, labelsReviewed }) => [
        server,
        name,
        access,
        labelsReviewed,
      ]),
      tables.toolAccess,
      tables.toolLabels,
      tables.toolOrigins,
    ]),
    unsafe: config.local ? null : localTrust(tables.issuers, tables.servers),
    problems: () => [
      ...trusted.problems,
      ...catalogue.problems,
      ...[...catalogue.byName.values()].flatMap(({ facts, tools }) =>
        tools.problems().map(({ tool, problem }) => at(`tool \`${facts.name}/${tool}\``, problem)),
      ),
      ...policies.problems().map(({ id, problem }) => at(`policy \`${id}\``, problem)),
      ...rules.problems().map(({ id, problem }) => `sequence rule \`${id}\`: ${problem}`),
    ],
  }
}

/** Rows come in any order that the database likes. */
const digestOf = (rows: readonly unknown[]): string =>
  createHash('sha256')
    .update(
      JSON.stringify(rows.map((row) => (Array.isArray(row) ? row.map(textOf).toSorted() : row))),
    )
    .digest('base64url')

const textOf = (row: unknown): string => JSON.stringify(row)

const at = (row: string, { message, line, column }: ConditionProblem): string =>
  `${row}: ${message} (${line}:${column})`

type IssuerRow = TenantTables['issuers'][number]
type ServerRow = TenantTables['servers'][number]

function compileServers(tables: TenantTables, config: Config, issuers: CompiledTenant['issuers']) {
  const toolsOf = toolRowsByServer(tables)
  const flowsOf = toolFlowsByServer(tables)
  const byName = new Map<string, CompiledServer>()
  const problems: string[] = []
  for (const row of tables.servers) {
    const url = upstreamUrl(row.url, config)
    if (!url.ok) problems.push(`server \`${row.name}\`: ${url.error}`)
    const credential = compileCredential(row, issuers)
    if (credential.kind === 'broken') {
      problems.push(`server \`${row.name}\`, credential: ${credential.problem}`)
    }
    const tools = compileTools(toolsOf.get(row.name) ?? [], row.internal)
    const flows = flowsOf.get(row.name)
    byName.set(row.name, {
      facts: serverFacts(row, url.ok, config.publicOrigins),
      title: row.title,
      url: url.ok ? url.value : new URL('about:blank'),
      dpopNonce: row.dpopNonce,
      credential,
      introspectionDigest: row.introspectionDigest,
      tools,
      // Under the name of the row that speaks of the tool, which may be a pattern.
      flows: (tool) => flows?.get(tools.find(tool, null)?.row ?? '') ?? NO_FLOWS,
    })
  }
  return { byName, problems }
}

/**
 * INVARIANT: an upstream has one spelling, the one that is sent, because SQL compares what rows say.
 * Its own checks know most others (migrations/0002_create_tools.sql), and not `0x7f.1`.
 */
function upstreamUrl(text: string, config: Config): Result<URL, string> {
  const url = trustedUrl(text, urlRules(config))
  if (!url.ok || comparable(url.value.href) === comparable(text)) return url
  return err('a url is not written as it is sent')
}

/** As `servers_by_url` has it. */
const comparable = (url: string): string => url.toLowerCase().replace(/\/+$/, '')

export const serverFacts = (
  row: ServerRow,
  mayBeCalled: boolean,
  origins: readonly string[],
): ServerFacts => ({
  name: row.name,
  resources: origins.map((origin) => resourceOf(origin, row.name)),
  // A url that must not be called is as good as none.
  active: row.active && mayBeCalled,
  internal: row.internal,
  requiredScopes: scopesOf(row.requiredScope),
  consentRequired: row.consentRequired,
  observeUntil: row.observeUntil,
})

/** A demo issuer would let anybody in; a loopback address is whatever runs on that machine. */
export function localTrust(
  issuers: readonly Pick<
    IssuerRow,
    'demo' | 'url' | 'jwksUri' | 'introspectionUrl' | 'tokenUrl' | 'revocationUrl'
  >[],
  servers: readonly Pick<ServerRow, 'name' | 'url'>[],
): string | null {
  const issuer = issuers.find(
    ({ demo, url, jwksUri, introspectionUrl, tokenUrl, revocationUrl }) =>
      demo ||
      [url, jwksUri, introspectionUrl ?? '', tokenUrl ?? '', revocationUrl ?? ''].some(isLocalUrl),
  )
  if (issuer !== undefined) return `issuer \`${issuer.url}\` is for a local demo only`
  const server = servers.find((row) => isLocalUrl(row.url))
  return server === undefined ? null : `server \`${server.name}\` has a loopback address`
}

const isLocalUrl = (text: string): boolean =>
  URL.canParse(text) && isLoopbackHost(new URL(text).hostname)

const urlRules = (config: Config) => ({
  allowLoopback: config.allowLoopback,
  ownHosts: config.hosts,
})
