import { sha256 } from '../sha256.ts'
import type { SealingKeys } from '../upstream/credentials/own-keys.ts'
import { seal, unseal } from '../upstream/credentials/sealed.ts'
import type { ObtainRequest } from '../upstream/credentials/credentials-protocol.ts'
import type { Kept } from './credentials-store.ts'

export const sealToken = (token: string, place: string, keys: SealingKeys): Promise<string> =>
  seal('credential', JSON.stringify({ place, token }), keys)

/** null: not by a key that we have, or it is not for this place. */
export async function openToken(
  { sealed, place }: Pick<Kept, 'sealed' | 'place'>,
  keys: SealingKeys,
): Promise<string | null> {
  const text = await unseal('credential', sealed, keys)
  if (text === null) return null
  const kept = JSON.parse(text) as { readonly place: string; readonly token: string }
  // INVARIANT: sealed together with what it was got for: a row that was moved opens nothing.
  return kept.place === place ? kept.token : null
}

/**
 * What two calls must share to share a token: the person, the software that acts, the very token that
 * they came with, the server, the task, and what is asked of whom.
 */
export function placeOf(request: ObtainRequest): Promise<string> {
  const { context, exchange, subjectToken, actorToken } = request
  const { actor, server, task, credential } = context
  const { tenant, issuer, subject, client, agent } = actor
  return sha256(
    JSON.stringify([
      [tenant, issuer, subject, client, agent],
      // Its keys too: of two tokens with one text, one may have been shown with another certificate.
      [subjectToken, actorToken, credential.bindings.map(({ thumbprint }) => thumbprint)],
      [server, task?.id ?? null, task?.expiresAt ?? null],
      exchange,
    ]),
  )
}
