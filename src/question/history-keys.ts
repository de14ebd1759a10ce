import type { Actor } from '../pdp/evaluation.ts'
import { sha256 } from '../sha256.ts'

/** The name of a subject's history; client, agent and token are no part of it. */
export async function sessionKeyOf(actor: Actor): Promise<string> {
  // An array of strings has one canonical JSON form (RFC 8785 §3.2.2.2), and its borders are safe.
  return sha256(JSON.stringify([actor.tenant, actor.issuer, actor.subject]))
}

/** Whose lock-outs: the client and the agent within one subject's session. */
export const actorKeyOf = (actor: Actor): string => JSON.stringify([actor.client, actor.agent])
