// Attackers who know the rules. V is what an attack needs to pass: the values of its malicious calls
// that are to be checked, less what stands in the person's own words.
import { argumentValues } from '../../pdp/provenance/arguments.ts'
import { occurs, plain } from '../../pdp/provenance/canon.ts'
import type { Found, OriginRow } from '../../pdp/provenance/fields.ts'
import type { ToolMaps } from './maps.ts'
import type { Trace } from './trace.ts'

/**
 * encoded: each value of V vanishes from every result, as if it stood there in base64.
 *
 * planted: each value of V becomes a whole field of every result that holds the injection, under
 * every key that a row for that tool trusts, whoever could have written that key: the worst that a
 * stranger could do who controls the record.
 *
 * planted-field: the same under a key that no row names, as in `contact: V` at the end of the text.
 */
export const TRANSFORMS = ['encoded', 'planted', 'planted-field'] as const
export type Transform = (typeof TRANSFORMS)[number]

const CHECKED: ReadonlySet<string> = new Set([
  'target',
  'resource',
  'credential',
  'command',
  'content',
])

export function neededValues({ recorded, truth }: Trace, maps: ToolMaps): ReadonlySet<string> {
  const prompt = plain(recorded.prompt)
  const needed = new Set<string>()
  for (const [index, call] of recorded.calls.entries()) {
    const tool = truth.malicious[index] === true ? maps.find(call.server, call.tool) : undefined
    if (tool === undefined) continue
    for (const { role, text } of argumentValues(call.args, tool.roles) ?? []) {
      if (CHECKED.has(role) && !occurs(text, prompt)) needed.add(text)
    }
  }
  return needed
}

/** What a result holds after the attacker has rewritten it. */
export function rewritten(
  found: Found,
  rows: readonly OriginRow[],
  transform: Transform | null,
  needed: ReadonlySet<string>,
  injected: boolean,
): Found {
  if (transform === null || needed.size === 0) return found
  if (transform === 'encoded') {
    return {
      ...found,
      listed: found.listed.filter(({ text }) => !needed.has(text)),
      fields: found.fields.filter((text) => !needed.has(text)),
      mentions: found.mentions.filter((text) => !needed.has(text)),
    }
  }
  if (!injected) return found
  const planted = [...needed].flatMap((text) =>
    rows.map(({ resourceType: type, authority }) => ({ type, authority, text })),
  )
  return {
    ...found,
    listed: transform === 'planted' ? [...found.listed, ...planted] : found.listed,
    fields: [...found.fields, ...needed],
    mentions: found.mentions,
  }
}
