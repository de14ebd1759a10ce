import { kindOf, ownName } from '../mcp/catalogue.ts'
import type { Listed } from '../mcp/listing.ts'
import { commonText, isTemplate } from '../mcp/template.ts'
import { evaluate } from '../pdp/evaluate.ts'
import type { Sighting } from '../pdp/evaluation.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import { listingRequest } from '../question/request.ts'
import type { Doors } from './doors.ts'
import type { Judged } from './judge.ts'
import { comparePins, noteListing, type Sighted } from './pins.ts'

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
  const under = new UnderTemplates(judged)
  return (entry) => {
    const refusal = refusalOf(entry)
    if (refusal === null) return true
    if (refusal.reason === 'tool_changed' || !isTemplateEntry(entry)) return false
    // A template is shown if some resource that it makes could be allowed.
    return under.some(entry, (text) => refusalOf(text) === null)
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

/**
 * How much is looked at for all templates of one listing, in letters that are compared. What is not
 * shown can still be asked for.
 */
const MOST_COMPARED = 20_000_000
/** What asking about one text costs besides. */
const PER_TEXT = 4_000

/** Of each row and policy that names resources, one text that a template makes, if there is any. */
class UnderTemplates {
  readonly #judged: Judged
  #patterns: readonly Pattern[] | null = null
  #left = MOST_COMPARED

  constructor(judged: Judged) {
    this.#judged = judged
  }

  /** Whether one of them is such a text. A server may list templates without end, so the looking has one. */
  some(template: string, is: (text: string) => boolean): boolean {
    this.#patterns ??= patternsOf(this.#judged)
    const start = template.slice(0, template.indexOf('{'))
    this.#left -= this.#patterns.length
    const asked = new Set<string>()
    for (const { text: pattern, start: own } of this.#patterns) {
      if (!start.startsWith(own) && !own.startsWith(start)) continue
      this.#left -= template.length * pattern.length
      if (this.#left < 0) return false
      const text = commonText(template, pattern)
      if (text === null || kindOf(text) !== 'resource' || asked.has(text)) continue
      this.#left -= PER_TEXT
      if (is(text)) return true
      asked.add(text)
    }
    return false
  }
}

interface Pattern {
  readonly text: string
  /** Before its first `*`. */
  readonly start: string
}

function patternsOf({ server, compiled }: Judged): readonly Pattern[] {
  // A row that is itself a template makes the same URIs, or others.
  const texts = [...server.tools.rows, ...compiled.policies.tools()].map((text) =>
    text.replaceAll(/\{[^{}]*\}/g, '*'),
  )
  return [...new Set(texts)].map((text) => ({ text, start: text.split('*', 1)[0] ?? '' }))
}
