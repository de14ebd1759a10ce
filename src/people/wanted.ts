// Pure. What the address of a page asks for: names only, and whether they exist is asked elsewhere.
import { isIdentifier } from '../authentication/text.ts'
import type { Wanted } from '../page-addresses.ts'
import { ACCESS, type Access } from '../pdp/evaluation.ts'

const LONGEST = 512

export const isAccess = (text: string): text is Access =>
  (ACCESS as readonly string[]).includes(text)

/** null: nothing, or nothing that could be meant. Of a tool and a class the tool is meant. */
export function readWanted(query: URLSearchParams): Wanted | null {
  const { client, tool, access, what } = Object.fromEntries(query)
  if (!isIdentifier(client)) return null
  const [kind, named] = splitChoice(what)
  const wantedTool = tool ?? (kind === 'tool' ? named : undefined)
  if (wantedTool !== undefined && wantedTool !== '') {
    return wantedTool.length <= LONGEST ? { client, tool: wantedTool, access: null } : null
  }
  const wantedAccess = access ?? (kind === 'access' ? named : undefined)
  return wantedAccess !== undefined && isAccess(wantedAccess)
    ? { client, tool: null, access: wantedAccess }
    : null
}

/** One choice among tools and classes, as a form without scripts sends it: `tool:x`, `access:read`. */
function splitChoice(what: string | undefined): readonly [string, string] | readonly [] {
  const at = what?.indexOf(':') ?? -1
  return what === undefined || at === -1 ? [] : [what.slice(0, at), what.slice(at + 1)]
}
