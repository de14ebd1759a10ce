import { kindOf, ownName } from '../mcp/catalogue.ts'
import type { Listed } from '../mcp/listing.ts'
import { commonText, isTemplate } from '../mcp/template.ts'
import { resourceEntry } from '../mcp/catalogue.ts'
import { evaluate } from '../pdp/evaluate.ts'
import type { Sighting } from '../pdp/evaluation.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import type { Doors } from './doors.ts'
import type { Judged } from './judge.ts'
import { comparePins, noteListing, type Sighted } from './pins.ts'
import { listingRequest } from './question.ts'

export interface Showing {
  readonly maySee: (entry: string) => boolean
  /** Tells all others what this listing showed; for the background. */
  readonly note: () => Promise<void>
}

/** Which entries of a listing may be shown: the same gates, up to the policies. */
export async function showing(
  listed: readonly Listed[],
  judged: Judged,
  doors: Doors,
  tenant: string,
): Promise<Showing> {
  const { fresh, server } = judged
  const sighted = await comparePins(listed, server)
  return {
    maySee: seeing(judged, sighted),
    note: () => noteListing(doors, tenant, server.facts.name, sighted, fresh.sightings),
  }
}

/**
 * Whether this actor could be allowed an entry now, by its own listing or by earlier ones. Where one
 * entry is asked about beside a call, as what a server asks of the client.
 */
export function seeing(judged: Judged, sighted: readonly Sighted[]): (entry: string) => boolean {
  const refusalOf = refusing(judged, sighted)
  return (entry) => {
    const refusal = refusalOf(entry)
    if (refusal === null) return true
    if (refusal.reason === 'tool_changed' || !isTemplateEntry(entry)) return false
    // A template is shown if some resource that it makes could be allowed.
    return textsUnder(entry, judged).some((text) => refusalOf(text) === null)
  }
}

/** Why an entry could not be allowed to this actor; null: it could. */
export function refusing(
  { request, facts, fresh, compiled, server, readAt }: Judged,
  sighted: readonly Sighted[],
): (entry: string) => DecisionRefusal | null {
  const { name } = server.facts
  const seen = new Map(sighted.map((one) => [one.tool, one]))
  return (entry) => {
    const tool = server.tools.find(entry, null)
    const row = tool?.row ?? entry
    if (fresh.revokedTools.has(`${name}/${entry}`)) {
      return { at: 'decide', reason: 'revoked', kind: 'tool' }
    }
    const earlier = fresh.sightings.get(row) ?? null
    const here = seen.get(row)
    const sighting: Sighting | null =
      here === undefined
        ? earlier
        : {
            hash: here.hash,
            // Right here and wrong elsewhere is wrong.
            matchedAt: here.asPinned ? readAt : null,
            differedAt: here.asPinned ? (earlier?.differedAt ?? null) : Infinity,
          }
    const asListed = { ...facts, tool, sighting, targets: [], unreadable: null }
    return evaluate(listingRequest(request, entry), compiled.policies, asListed).refusal
  }
}

const isTemplateEntry = (entry: string): boolean =>
  kindOf(entry) === 'resource' && isTemplate(ownName(entry))

/** More rows are not looked at: what is not shown can still be asked for. */
const MOST_TEXTS = 200

/** Of each row and policy that names resources, one that the template makes, if there is any. */
function textsUnder(template: string, { server, compiled }: Judged): string[] {
  const patterns = new Set([...server.tools.rows, ...compiled.policies.tools()])
  const texts = new Set<string>()
  for (const pattern of patterns) {
    if (texts.size >= MOST_TEXTS) break
    // A row that is itself a template makes the same URIs, or others.
    const text = commonText(template, pattern.replaceAll(/\{[^{}]*\}/g, '*'))
    if (text !== null && kindOf(text) === 'resource') texts.add(resourceEntry(ownName(text)))
  }
  return [...texts]
}
