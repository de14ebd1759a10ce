// What Sallyport's own word to a server carries: that a task of its ends, because its ground is gone.
// One row for each kind of credential.
import type { JsonObject } from '../../mcp/value.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Secrets } from '../../secrets.ts'
import type { ServerCredential } from '../../storage/compiled-credentials.ts'
import type { CredentialKind } from '../../storage/credential-kinds.ts'
import type { CallContext } from './context.ts'
import { ENDING_METHOD } from './ending-word.ts'
import { bearer, secretHeader } from './header.ts'
import type { OwnKeyFault, SealingKeys, SigningKeys } from './own-keys.ts'
import { signEnding, signOwnToken } from './signed.ts'

export interface EndingParts {
  /** Our canonical origin: who signs. */
  readonly origin: string
  readonly secrets: Secrets
  readonly signing: () => Promise<Result<SigningKeys, OwnKeyFault>>
  readonly sealing: () => Promise<Result<SealingKeys, OwnKeyFault>>
  /** A token that an issuer gave for this audience and is not taken back yet; null: there is none. */
  readonly kept: (audience: string) => Promise<string | null>
  readonly now: () => number
}

/** The task that ends, and where it runs by current rows. */
export interface Ending {
  readonly context: CallContext
  readonly taskId: string
  readonly upstream: URL
}

/** What one message to the server carries. `kind` is for the log. */
export interface EndingCarried {
  readonly kind: CredentialKind
  readonly headersFor: (message: JsonObject) => Promise<Readonly<Record<string, string>>>
}

/** `never`: and there will not be any later. */
export type EndingFault = { readonly detail: string; readonly never: boolean }

type Carry<K extends ServerCredential['kind']> = (
  credential: Extract<ServerCredential, { kind: K }>,
  ending: Ending,
  parts: EndingParts,
) => Promise<Result<EndingCarried, EndingFault>>

const KINDS: { readonly [K in ServerCredential['kind']]: Carry<K> } = {
  none: async () => ok({ kind: 'none', headersFor: async () => ({}) }),
  broken: async ({ problem }) => later(problem),
  secret: async ({ secret: name }, { context, upstream }, { secrets }) => {
    const header = secretHeader(secrets, name, context.actor.tenant, upstream)
    return header.ok
      ? ok({ kind: 'secret', headersFor: async () => header.value })
      : later(header.error)
  },
  signed: async ({ audience }, { context, taskId }, parts) => {
    const signing = await parts.signing()
    if (!signing.ok) return later(`SIGNING_KEYS: ${signing.error}`)
    const sealing = await parts.sealing()
    if (!sealing.ok) return later(`SEALING_KEYS: ${sealing.error}`)
    const minting = { issuer: parts.origin, audience, now: parts.now() }
    return ok({
      kind: 'signed',
      headersFor: async (message) =>
        bearer(
          message['method'] === ENDING_METHOD
            ? await signEnding({ ...minting, context, taskId }, signing.value, sealing.value)
            : // To open a session again in which it can be said is nobody's call.
              await signOwnToken(
                { ...minting, tenant: context.actor.tenant, message },
                signing.value,
              ),
        ),
    })
  },
  exchange: async ({ audience }, _, parts) => {
    const token = await parts.kept(audience)
    return token === null
      ? err({ detail: 'no token of its issuer is left to say it with', never: true })
      : ok({ kind: 'exchange', headersFor: async () => bearer(token) })
  },
}

export const carryEnding = <K extends ServerCredential['kind']>(
  credential: Extract<ServerCredential, { kind: K }>,
  ending: Ending,
  parts: EndingParts,
): Promise<Result<EndingCarried, EndingFault>> =>
  KINDS[credential.kind as K](credential, ending, parts)

/** Somebody may mend it. */
const later = (detail: string) => err({ detail, never: false })
