import * as dpop from 'dpop'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { sessionKeyOf } from '../../../../src/question/history-keys.ts'
import { sql, type TokenOptions } from '../../../support/worker/world.ts'
import { addressOf, AGENT, CLIENT, KEY_ID, laneToken, TOOL } from './lanes.ts'
import type { Lane, Shown } from './lanes.ts'

/** Somebody of a lane who may call, and whose leave is about to end. */
export interface Person {
  readonly lane: Lane
  readonly sub: string
}

/** One way in which leave ends, prepared for one person. */
export interface Plot {
  readonly shown: Shown
  /** Done when it is committed, as far as anybody outside can tell. */
  readonly commit: () => Promise<unknown>
  /** Afterwards everything is as it was before. */
  readonly lift: () => Promise<unknown>
}

export interface End {
  readonly kind: string
  readonly plot: (person: Person) => Promise<Plot>
  /** What the client is told, and what the record says; no record: door one knew already. */
  readonly code: string
  readonly refusal: Readonly<Record<string, unknown>> | null
  /** Somebody else of the tenant goes on. */
  readonly spares: boolean
}

export const loginOf = ({ sub }: Person): string => `login-${sub}`
export const tokenIdOf = ({ sub }: Person): string => `token-${sub}`

const bearers = new Map<string, Promise<string>>()

/** One token for all rounds of a person: that it works again is part of what is shown. */
export function bearerOf(person: Person, options: TokenOptions = {}): Promise<string> {
  const { lane, sub } = person
  const key = JSON.stringify([lane.tenant, sub, options])
  const claims = { jti: tokenIdOf(person), sid: loginOf(person), ...options.claims }
  const made = bearers.get(key) ?? laneToken(lane, { sub, ...options, claims })
  bearers.set(key, made)
  return made
}

/** Before the next people: nobody shows these again. */
export const forgetTokens = (): void => bearers.clear()

export const plain = async (person: Person, options: TokenOptions = {}): Promise<Shown> => ({
  server: person.lane.server,
  bearer: await bearerOf(person, options),
})

const keys = await dpop.generateKeyPair('ES256', { extractable: true })
const jkt = await calculateJwkThumbprint(await exportJWK(keys.publicKey))

async function withProofs(person: Person): Promise<Shown> {
  const shown = await plain(person, { claims: { cnf: { jkt } } })
  const headers = async (method: string) => ({
    authorization: `DPoP ${shown.bearer}`,
    dpop: await dpop.generateProof(keys, addressOf(shown.server), method, undefined, shown.bearer),
  })
  return { ...shown, headers }
}

const CERTIFICATE = {
  tlsClientAuth: {
    certPresented: '1',
    certVerified: 'SUCCESS',
    certRevoked: '0',
    certFingerprintSHA256: '5a'.repeat(32),
  },
}
const CERTIFICATE_THUMBPRINT = 'WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo'

const withCertificate = async (person: Person): Promise<Shown> => ({
  ...(await plain(person, { claims: { cnf: { 'x5t#S256': CERTIFICATE_THUMBPRINT } } })),
  cf: CERTIFICATE,
})

const withAgent = (person: Person) => plain(person, { agent: AGENT })

/** Without what signals and people wrote, a lane is as it was. */
export const lifted = ({ lane: { tenant } }: Person) =>
  sql(
    ...['revocations', 'signal_states', 'claim_overlays'].map(
      (table) => `DELETE FROM ${table} WHERE tenant = '${tenant}'`,
    ),
  )

/** What a row of `revocations` can name of a call. */
export interface Named extends Omit<End, 'plot'> {
  readonly idOf: (person: Person) => string | Promise<string>
  readonly show: (person: Person) => Promise<Shown>
  /** An issuer gives this name: the row may say which one. */
  readonly ofIssuer: boolean
}

const named = (kind: string, idOf: Named['idOf'], more: Partial<Named> = {}): Named => ({
  kind,
  idOf,
  code: 'revoked',
  refusal: { reason: 'revoked', kind },
  spares: true,
  show: plain,
  ofIssuer: true,
  ...more,
})

const unauthenticated = (kind: string) => ({
  code: 'token_invalid',
  refusal: { reason: 'revoked', kind },
})
const ofNone = { ofIssuer: false }

export const NAMED: readonly Named[] = [
  named('token', tokenIdOf, unauthenticated('token')),
  named('token_session', loginOf, unauthenticated('token_session')),
  named('proof_key', () => jkt, { ...unauthenticated('proof_key'), show: withProofs, ...ofNone }),
  named('proof_key', () => CERTIFICATE_THUMBPRINT, {
    ...unauthenticated('proof_key'),
    show: withCertificate,
    ...ofNone,
  }),
  named(
    'session',
    ({ lane: { tenant, issuer }, sub: subject }) =>
      sessionKeyOf({ tenant, issuer, subject, client: CLIENT, agent: null }),
    ofNone,
  ),
  named('client', () => CLIENT),
  named('subject', ({ sub }) => sub),
  named('agent', () => AGENT, { show: withAgent }),
  named('server', ({ lane }) => lane.server, { spares: false, ...ofNone }),
  named('tool', ({ lane }) => `${lane.server}/${TOOL}`, ofNone),
  named('issuer_key', () => KEY_ID, unauthenticated('issuer_key')),
  named('issuer', ({ lane }) => lane.issuer, {
    ...unauthenticated('issuer'),
    spares: false,
    ...ofNone,
  }),
  named('tenant', ({ lane }) => lane.tenant, { spares: false, ...ofNone }),
]

/** By SQL, alternately of that issuer alone and of any. */
export const REVOCATIONS: readonly End[] = NAMED.flatMap((one) =>
  (one.ofIssuer ? [true, false] : [false]).map((isOfIssuer) => ({
    ...one,
    plot: async (person: Person) => {
      const { tenant, issuer } = person.lane
      const statement = `INSERT INTO revocations (tenant, kind, id, issuer) VALUES ('${tenant}', '${one.kind}', '${await one.idOf(person)}', '${isOfIssuer ? issuer : '*'}')`
      const shown = await one.show(person)
      return { shown, commit: () => sql(statement), lift: () => lifted(person) }
    },
  })),
)

/** A column of a row that calls rest on, set and set back. */
const column = (
  table: string,
  set: string,
  back: string,
  where: (lane: Lane) => string,
  more: Pick<End, 'code' | 'refusal' | 'spares'> & { show?: (person: Person) => Promise<Shown> },
): End => ({
  ...more,
  kind: `${table}.${set.split(' ')[0]}`,
  plot: async (person) => {
    const update = (what: string) => sql(`UPDATE ${table} SET ${what} WHERE ${where(person.lane)}`)
    const shown = await (more.show ?? plain)(person)
    return { shown, commit: () => update(set), lift: () => update(back) }
  },
})

const OFF = ['active = 0', 'active = 1'] as const

/** Switched off, by SQL. */
export const SWITCHES: readonly End[] = [
  column('clients', ...OFF, (lane) => `tenant = '${lane.tenant}' AND id = '${CLIENT}'`, {
    code: 'client_not_registered',
    refusal: { reason: 'client_inactive' },
    spares: true,
  }),
  column(
    'clients',
    'acts_for_users = 0',
    'acts_for_users = 1',
    (lane) => `tenant = '${lane.tenant}' AND id = '${CLIENT}'`,
    { code: 'client_not_delegate', refusal: { reason: 'client_not_delegate' }, spares: true },
  ),
  column('agents', ...OFF, (lane) => `tenant = '${lane.tenant}'`, {
    code: 'agent_not_registered',
    refusal: { reason: 'agent_inactive' },
    spares: true,
    show: withAgent,
  }),
  column('tenants', ...OFF, (lane) => `id = '${lane.tenant}'`, {
    code: 'inactive',
    refusal: { reason: 'tenant_inactive' },
    spares: false,
  }),
  column('servers', ...OFF, (lane) => `name = '${lane.server}'`, {
    code: 'inactive',
    refusal: { reason: 'server_inactive' },
    spares: false,
  }),
  column('issuers', ...OFF, (lane) => `tenant = '${lane.tenant}'`, {
    code: 'token_invalid',
    refusal: null,
    spares: false,
  }),
]
