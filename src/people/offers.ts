// What a person could let a client do here: what a listing would show that client, had it consent.
import { evaluate } from '../pdp/evaluate.ts'
import { ACCESS, type Access, type ToolFacts } from '../pdp/evaluation.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import { judge, type Judged } from '../pep/judge.ts'
import { sessionKeyOf } from '../question/history-keys.ts'
import { NO_TOKEN, type Question } from '../question/question.ts'
import { listingRequest } from '../question/request.ts'
import { err, ok, type Result } from '../result.ts'
import type { PageRefusal } from './refusal.ts'
import type { Person } from './session.ts'
import type { Site } from './site.ts'

export interface Offers {
  /** By exact name, in the order of their names. Tools that only a pattern knows are found by name. */
  readonly tools: readonly ToolFacts[]
  readonly classes: readonly Access[]
  find(tool: string): ToolFacts | null
}

/**
 * INVARIANT: asked of door two itself, with this person and this client as the actor: nothing can be
 * consented to that would be out of sight, and a page confirms the existence of nothing else.
 */
export async function offersTo(
  site: Site,
  person: Person,
  client: string,
): Promise<Result<Offers, PageRefusal>> {
  const question = await questionFor(site, person, client)
  const judged = await judge(question, site.compiled, site.people.doors.policies)
  if (!judged.ok) return err('unavailable')
  const { facts, fresh, server } = judged.value
  if (facts.clientActive !== true || facts.revocations.length > 0) return err('client_not_offered')
  const find = (name: string): ToolFacts | null => {
    const tool = server.tools.find(name, null)
    if (tool === null || fresh.revokedTools.has(`${site.name}/${name}`)) return null
    return isWithinReach(judged.value, tool) ? tool : null
  }
  const names = site.compiled.snapshot.tables.tools
    .filter((row) => row.server === site.name && !row.name.includes('*'))
    .map(({ name }) => name)
    .toSorted()
  const tools = names.flatMap((name) => find(name) ?? [])
  const classes = ACCESS.filter((access) =>
    tools.some((tool) => (tool.depends?.access ?? [tool.access]).includes(access)),
  )
  return ok({ tools, classes, find })
}

const questionFor = async (site: Site, person: Person, client: string): Promise<Question> => {
  const { tenant, issuer, subject } = person
  const actor = { tenant, issuer, subject, client, agent: null }
  return {
    actor,
    session: await sessionKeyOf(actor),
    credential: NO_TOKEN,
    server: site.name,
    method: 'tools/list',
    tool: null,
    arguments: null,
    listing: true,
    network: { ip: null, country: null, asn: null },
  }
}

/** As if the person had consented, with every scope: what is left is theirs, or it is out of reach. */
function isWithinReach({ request, facts, fresh, compiled }: Judged, tool: ToolFacts): boolean {
  const asConsented = {
    ...facts,
    server: { ...facts.server, consentRequired: false, requiredScopes: [] },
    tool: { ...tool, requiredScopes: [] },
    sighting: fresh.sightings.get(tool.name) ?? null,
    tasks: [],
  }
  const { refusal } = evaluate(listingRequest(request, tool.name), compiled.policies, asConsented)
  return refusal === null || MAY_PASS_LATER[refusal.reason] === true || isOfAgent(refusal)
}

/** Refusals that speak of one call, one token or one moment. */
const MAY_PASS_LATER: Partial<Record<DecisionRefusal['reason'], true>> = {
  tool_unverified: true,
  insufficient_authentication: true,
  binding_required: true,
  approval_required: true,
}

/** The software that will act through the client may be another agent than the client itself. */
const isOfAgent = (refusal: DecisionRefusal): boolean =>
  'pass' in refusal && refusal.pass === 'agent'
