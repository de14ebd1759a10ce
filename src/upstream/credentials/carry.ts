// What a call carries to its server: one row for each kind of credential.
import type { Claims } from '../../authentication/claims.ts'
import {
  readCredentials,
  type Credentials as Presented,
} from '../../authentication/authenticate.ts'
import { inTime, LATE } from '../../in-time.ts'
import type { JsonValue } from '../../mcp/value.ts'
import type { Question } from '../../question/question.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Secrets } from '../../secrets.ts'
import type { ServerCredential } from '../../storage/compiled-credentials.ts'
import type { Carried } from './carried.ts'
import { contextOf, type BoundTask, type CallContext } from './context.ts'
import {
  CREDENTIALS_PROTOCOL,
  type ObtainAnswer,
  type ObtainRequest,
} from './credentials-protocol.ts'
import { bearer, secretHeader } from './header.ts'
import type { OwnKeyFault, SealingKeys, SigningKeys } from './own-keys.ts'
import { signToken } from './signed.ts'

/** A call that door two lets pass, before anything is recorded of it. */
export interface CredentialCall {
  readonly decision: string
  /** Of the message: of the one that was decided its decision, of any other a name of its own. */
  readonly name: string
  readonly question: Question
  readonly claims: Pick<Claims, 'expiresAt'>
  /** What the client showed: of it only an exchange makes use, and only at its own issuer. */
  readonly presented: Presented
  /** As the server will get it. */
  readonly message: JsonValue
  readonly upstream: URL
  readonly access: CallContext['access']
  readonly task: BoundTask | null
}

export interface CarryParts {
  /** Our canonical origin: who signs. */
  readonly origin: string
  readonly secrets: Secrets
  readonly signing: () => Promise<Result<SigningKeys, OwnKeyFault>>
  readonly sealing: () => Promise<Result<SealingKeys, OwnKeyFault>>
  /** Asks the object that keeps the credentials of this subject, by the name of its session. */
  readonly obtain: (session: string, request: ObtainRequest) => Promise<ObtainAnswer>
  readonly now: () => number
}

/** An exchange and a little: later it counts as lost. */
const OBJECT_BUDGET_MS = 6_000

type Carry<K extends ServerCredential['kind']> = (
  credential: Extract<ServerCredential, { kind: K }>,
  call: CredentialCall,
  parts: CarryParts,
) => Promise<Result<Carried, string>>

const KINDS: { readonly [K in ServerCredential['kind']]: Carry<K> } = {
  none: async () => ok({ headers: {}, record: { kind: 'none' } }),
  broken: async ({ problem }) => err(problem),
  secret: async ({ secret: name }, { question, upstream }, { secrets }) => {
    const header = secretHeader(secrets, name, question.actor.tenant, upstream)
    return header.ok ? ok({ headers: header.value, record: { kind: 'secret' } }) : header
  },
  signed: async ({ audience }, call, parts) => {
    const signing = await parts.signing()
    if (!signing.ok) return err(`SIGNING_KEYS: ${signing.error}`)
    const sealing = await parts.sealing()
    if (!sealing.ok) return err(`SEALING_KEYS: ${sealing.error}`)
    const { name, message } = call
    const now = parts.now()
    const until = untilOf(call)
    if (until <= now) return err('the token would end on the way')
    const minting = { issuer: parts.origin, audience, name, message, until, now }
    const context = contextFor(call)
    const token = await signToken({ ...minting, context }, signing.value, sealing.value)
    return ok({ headers: bearer(token), record: { kind: 'signed', id: name } })
  },
  exchange: async (exchange, call, parts) => {
    const { presented, decision, question } = call
    const shown = readCredentials(presented)
    if (!shown.ok) return err('the client showed no token')
    const { agentDocument } = question.credential
    const answer = await ask(parts, question.session, {
      version: CREDENTIALS_PROTOCOL,
      decision,
      exchange,
      context: contextFor(call),
      subjectToken: shown.value.token,
      // A workload that proved itself beside the token (RFC 8693 §2.1); alone it is the subject.
      actorToken: agentDocument === null ? null : presented.workloadToken,
      until: untilOf(call),
    })
    if (answer.kind === 'unavailable') return err(answer.detail)
    return ok({
      headers: bearer(answer.token),
      record: { kind: 'exchange', id: answer.credential },
    })
  },
}

export const carry = <K extends ServerCredential['kind']>(
  credential: Extract<ServerCredential, { kind: K }>,
  call: CredentialCall,
  parts: CarryParts,
): Promise<Result<Carried, string>> => KINDS[credential.kind as K](credential, call, parts)

const contextFor = ({ question, access, task }: CredentialCall): CallContext =>
  contextOf(question, access, task)

/** Nothing outlives the token that it came from, or the task that it is for. */
const untilOf = ({ claims, task }: CredentialCall): number =>
  Math.min(claims.expiresAt * 1000, task?.expiresAt ?? Infinity)

async function ask(
  { obtain }: CarryParts,
  session: string,
  request: ObtainRequest,
): Promise<ObtainAnswer> {
  try {
    const answer = await inTime(obtain(session, request), OBJECT_BUDGET_MS, LATE)
    return answer === LATE ? lost('an object took too long') : answer
  } catch {
    return lost('an object did not answer')
  }
}

const lost = (detail: string): ObtainAnswer => ({ kind: 'unavailable', detail })
