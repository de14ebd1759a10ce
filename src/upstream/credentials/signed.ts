// A token of our own for one call (RFC 9068): who calls, through which software, for what task, and
// exactly what.
import { SignJWT } from 'jose'
import type { JsonObject, JsonValue } from '../../mcp/value.ts'
import type { Actor } from '../../pdp/evaluation.ts'
import type { CallContext } from './context.ts'
import { messageDetail } from './digest.ts'
import { ENDING_METHOD, sealEnding } from './ending-word.ts'
import type { SealingKeys, SigningKeys } from './own-keys.ts'
import { seal } from './sealed.ts'

/** The longest that anything goes on trusting one whose ground is gone (docs/upstream-credentials.md). */
export const SIGNED_LIFETIME_S = 60

export interface Minting {
  /** Our own name: the canonical origin. */
  readonly issuer: string
  readonly audience: string
  /**
   * The token's own name, and so what its server may count by: that of the decision which allowed the
   * message.
   */
  readonly name: string
  readonly context: CallContext
  readonly message: JsonValue
  /** Epoch milliseconds after which it may not be used: the caller's own token ends, or the task. */
  readonly until: number
  readonly now: number
}

export async function signToken(
  minting: Minting,
  signing: SigningKeys,
  sealing: SealingKeys,
): Promise<string> {
  const sealed = await seal('context', JSON.stringify(minting.context), sealing)
  return signSealed(minting, sealed, signing)
}

/**
 * Sallyport's own word to the server that a task of its ends: for whoever it ran for, though nothing of
 * theirs holds any more.
 *
 * INVARIANT: the message is written here, so that no token of this kind can be made for another one.
 */
export async function signEnding(
  minting: Pick<Minting, 'issuer' | 'audience' | 'context' | 'now'> & { readonly taskId: string },
  signing: SigningKeys,
  sealing: SealingKeys,
): Promise<string> {
  const { context, audience, taskId } = minting
  const message: JsonObject = { method: ENDING_METHOD, params: { taskId } }
  const sealed = await sealEnding(context, await messageDetail(message, audience), sealing)
  const name = crypto.randomUUID()
  return signSealed({ ...minting, name, message, until: Infinity }, sealed, signing)
}

async function signSealed(minting: Minting, sealed: string, signing: SigningKeys): Promise<string> {
  const { context, audience, name, message, issuer, now } = minting
  const { actor, credential, task } = context
  const issuedAt = Math.floor(now / 1000)
  const detail = await messageDetail(message, audience)
  const { kid, algorithm, key } = signing.signer
  return new SignJWT({
    ...about(actor, credential.agentDocument?.issuer ?? null),
    // RFC 9068 §2.2.1: how the person logged in, for servers that ask for more.
    ...(credential.acr === null ? {} : { acr: credential.acr }),
    ...(credential.authTime === null ? {} : { auth_time: credential.authTime }),
    ...(task === null ? {} : { txn: task.id }),
    authorization_details: [{ ...detail }],
    sealed,
  })
    .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setJti(name)
    .setIssuedAt(issuedAt)
    .setExpirationTime(Math.min(issuedAt + SIGNED_LIFETIME_S, Math.ceil(minting.until / 1000)))
    .sign(key)
}

function about(actor: Actor, agentIssuer: string | null): JsonObject {
  const { tenant, issuer, subject, client, agent } = actor
  return {
    sub: subject,
    // RFC 9493 §3.2.3: a subject is somebody only together with whoever named them.
    sub_id: { format: 'iss_sub', iss: issuer, sub: subject },
    client_id: client,
    tenant,
    ...(agent === null
      ? {}
      : { act: { sub: agent, ...(agentIssuer === null ? {} : { iss: agentIssuer }) } }),
  }
}

type OwnMinting = Pick<Minting, 'issuer' | 'audience' | 'message' | 'now'> & {
  readonly tenant: string
}

/** Sallyport's own questions to a server: nobody's call, and bound to one message all the same. */
export async function signOwnToken(
  { issuer, tenant, audience, message, now }: OwnMinting,
  { signer }: SigningKeys,
): Promise<string> {
  const issuedAt = Math.floor(now / 1000)
  const detail = await messageDetail(message, audience)
  return new SignJWT({
    sub: issuer,
    client_id: issuer,
    // Whose server is asked: two tenants may have one upstream.
    tenant,
    authorization_details: [{ ...detail }],
  })
    .setProtectedHeader({ alg: signer.algorithm, typ: 'at+jwt', kid: signer.kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setJti(crypto.randomUUID())
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + SIGNED_LIFETIME_S)
    .sign(signer.key)
}
