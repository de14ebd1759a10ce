import { env } from 'cloudflare:workers'
import { receiverOf } from '../../../../src/signals/parts.ts'
import { pollStream as poll } from '../../../../src/signals/poll.ts'
import { openStream } from '../../../../src/signals/receiver.ts'
import { CAEP, push, RISC, signedSet } from '../../../support/worker/signals.ts'
import { lifted, loginOf, plain, tokenIdOf, type End, type Person } from './ends.ts'
import { CLIENT, POLL_ORIGIN, POLL_SECRET, pollStream, pushStream } from './lanes.ts'

/** What an identity provider tells: the same events, pushed and polled. */

interface Signal {
  readonly type: string
  readonly subject: (person: Person) => object
  readonly event?: object
  readonly code: string
  readonly refusal: Readonly<Record<string, unknown>>
}

const user = ({ lane, sub }: Person) => ({ format: 'iss_sub', iss: lane.issuer, sub })
const opaque = (id: string) => ({ format: 'opaque', id })

const OUTDATED = { code: 'token_invalid', refusal: { reason: 'revoked' } }
const LOGIN = { code: 'login_outdated', refusal: { reason: 'login_outdated' } }
const RAISED = { code: 'signal_raised', refusal: { reason: 'signal_raised' } }
const CLOSED = { code: 'revoked', refusal: { reason: 'revoked', kind: 'subject' } }
const PASSWORD = { credential_type: 'password', change_type: 'update' }

const SIGNALS: readonly Signal[] = [
  { type: `${CAEP}session-revoked`, subject: user, ...OUTDATED },
  {
    type: `${CAEP}session-revoked`,
    subject: (one) => ({ format: 'complex', user: user(one), session: opaque(loginOf(one)) }),
    code: 'token_invalid',
    refusal: { reason: 'revoked', kind: 'token_session' },
  },
  {
    type: `${CAEP}session-revoked`,
    subject: (one) => ({ format: 'jwt_id', iss: one.lane.issuer, jti: tokenIdOf(one) }),
    code: 'token_invalid',
    refusal: { reason: 'revoked', kind: 'token' },
  },
  {
    type: `${CAEP}session-revoked`,
    subject: (one) => ({ format: 'complex', user: user(one), application: opaque(CLIENT) }),
    ...OUTDATED,
  },
  {
    type: `${CAEP}token-claims-change`,
    subject: user,
    event: { claims: { client_id: 'x' } },
    ...OUTDATED,
  },
  { type: `${CAEP}credential-change`, subject: user, event: PASSWORD, ...LOGIN },
  {
    type: `${CAEP}assurance-level-change`,
    subject: user,
    event: { namespace: 'NIST-AAL', current_level: 'nist-aal1', change_direction: 'decrease' },
    ...LOGIN,
  },
  {
    type: `${CAEP}device-compliance-change`,
    subject: user,
    event: { previous_status: 'compliant', current_status: 'not-compliant' },
    ...RAISED,
  },
  {
    type: `${CAEP}risk-level-change`,
    subject: user,
    event: { current_level: 'HIGH', principal: 'USER' },
    ...RAISED,
  },
  { type: `${RISC}account-disabled`, subject: user, event: { reason: 'hijacking' }, ...CLOSED },
  { type: `${RISC}account-purged`, subject: user, ...CLOSED },
  {
    type: `${RISC}credential-compromise`,
    subject: user,
    event: { credential_type: 'password' },
    ...OUTDATED,
  },
  { type: `${RISC}sessions-revoked`, subject: user, ...OUTDATED },
  { type: `${RISC}identifier-changed`, subject: user, event: { 'new-value': 'x' }, ...OUTDATED },
  { type: `${RISC}identifier-recycled`, subject: user, ...OUTDATED },
  { type: `${RISC}account-credential-change-required`, subject: user, ...LOGIN },
  { type: `${RISC}recovery-activated`, subject: user, ...LOGIN },
  { type: `${RISC}recovery-information-changed`, subject: user, ...LOGIN },
]

/** Signed in advance: what is timed is how it is received. */
const signed = ({ type, subject, event }: Signal, person: Person, jti: string) =>
  signedSet(type, subject(person), event, { claims: { iss: person.lane.issuer, jti } })

/** `deliver` ends when the transmitter knows that the event is durable. */
const told = (
  deliver: (person: Person, jti: string, set: string) => Promise<unknown>,
): readonly End[] =>
  SIGNALS.map((signal) => ({
    kind: signal.type.slice(signal.type.lastIndexOf('/') + 1),
    code: signal.code,
    refusal: signal.refusal,
    spares: true,
    plot: async (person) => {
      const jti = crypto.randomUUID()
      const set = await signed(signal, person, jti)
      return {
        shown: await plain(person),
        commit: () => deliver(person, jti, set),
        lift: () => lifted(person),
      }
    },
  }))

export const PUSHED = told(async ({ lane }, _, set) => {
  const response = await push(set, { stream: pushStream(lane) })
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`)
})

/** Taken from a transmitter that has this one event, until it is told that it need not keep it. */
export const POLLED = told(({ lane }, jti, set) => {
  const secret = { tenant: lane.tenant, origin: POLL_ORIGIN, authorization: 'Bearer p' }
  const receiver = receiverOf({ ...env, [POLL_SECRET]: JSON.stringify(secret) } as Env)
  return new Promise<void>((resolve, reject) => {
    const transmitter = async (_: string, { body }: RequestInit): Promise<Response> => {
      const { ack = [] } = JSON.parse(body as string) as { ack?: string[] }
      const isAcknowledged = ack.includes(jti)
      if (isAcknowledged) resolve()
      return Response.json({ sets: isAcknowledged ? {} : { [jti]: set } })
    }
    const polling = async () => {
      const stream = await openStream(receiver, pollStream(lane))
      if (!stream.ok) throw new Error(stream.error.reason)
      const polled = await poll(receiver, stream.value, transmitter)
      if (!polled.ok || polled.value.stored !== 1) throw new Error(JSON.stringify(polled))
    }
    polling().catch(reject)
  })
})
