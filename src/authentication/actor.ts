// Pure. Who acts for the subject (RFC 8693 §4.1).

import { isJsonObject, type JsonObject } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { isIdentifier } from './text.ts'

const MAX_ACTORS = 4

/**
 * Every `act.sub`, outermost first; empty without `act`.
 *
 * INVARIANT: only the first of them is the current actor. The nested ones are history and take no
 * part in a decision (RFC 8693 §4.1), yet a chain that is malformed anywhere is refused as a whole:
 * a record must not show a delegation that nobody vouched for.
 */
export function readActors(payload: JsonObject): Result<readonly string[], string> {
  const actors: string[] = []
  let holder: JsonObject = payload
  while (holder['act'] !== undefined) {
    const act = holder['act']
    if (!isJsonObject(act)) return err('`act` is not an object')
    if (actors.length === MAX_ACTORS) return err('`act` is nested too deep')
    const actor = act['sub']
    if (!isIdentifier(actor)) return err('`act.sub` is not an identifier')
    // Another issuer's namespace: its `sub` would be taken for one of ours.
    if (act['iss'] !== undefined && act['iss'] !== payload['iss']) {
      return err('`act.iss` is another issuer')
    }
    // Acting for oneself, or twice, is a cycle: it would hide who passed the authority on.
    if (actor === payload['sub'] || actors.includes(actor)) return err('`act` holds a cycle')
    actors.push(actor)
    holder = act
  }
  return ok(actors)
}

const MAY_ACT_MEMBERS: ReadonlySet<string> = new Set(['sub', 'iss'])

/**
 * The one party that may act for the subject (RFC 8693 §4.4); null without the claim.
 *
 * INVARIANT: a member that is not known here refuses the token: each of them narrows who is meant.
 */
export function readMayAct(
  payload: JsonObject,
  agent: string | null,
): Result<string | null, string> {
  const mayAct = payload['may_act']
  if (mayAct === undefined) return ok(null)
  if (!isJsonObject(mayAct)) return err('`may_act` is not an object')
  if (Object.keys(mayAct).some((name) => !MAY_ACT_MEMBERS.has(name))) {
    return err('`may_act` narrows in a way that is not known')
  }
  const { sub, iss } = mayAct
  if (!isIdentifier(sub)) return err('`may_act.sub` is not an identifier')
  if (iss !== undefined && iss !== payload['iss']) return err('`may_act.iss` is another issuer')
  if (agent !== null && agent !== sub) return err('`act` is not whom `may_act` names')
  return ok(sub)
}
