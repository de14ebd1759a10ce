import { sql } from '../../../support/worker/world.ts'
import { ask, close, openerToken } from '../../tasks/door.ts'
import { bearerOf, lifted, plain, type End, type Person } from './ends.ts'
import { addressOf, CLIENT, laneToken, TOOL } from './lanes.ts'
import type { Lane, Shown } from './lanes.ts'

/** Tasks and consents: what somebody declared, and what ends it. Each round has one of its own. */

const deskToken = (lane: Lane) =>
  openerToken({ claims: { iss: lane.issuer, aud: new URL('/tasks', addressOf('x')).href } })

const taskRow = ({ lane, sub }: Person, id: string): string =>
  `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at)
   VALUES ('${lane.tenant}', '${id}', '${lane.issuer}', '${sub}', '${CLIENT}', 'p', 'somebody', 9000000000000)`

const closing = ({ lane }: Person, id: string): string =>
  `UPDATE tasks SET closed_at = unixepoch() * 1000 WHERE tenant = '${lane.tenant}' AND id = '${id}' AND closed_at IS NULL`

const revoking = ({ lane }: Person, kind: string, id: string): string =>
  `INSERT INTO revocations (tenant, kind, id) VALUES ('${lane.tenant}', '${kind}', '${id}')`

/** Of a token that names its task by `txn`. */
const namedTask = async (person: Person): Promise<{ id: string; shown: Shown }> => {
  const id = crypto.randomUUID()
  await sql(taskRow(person, id))
  const { lane, sub } = person
  return {
    id,
    shown: { server: lane.server, bearer: await laneToken(lane, { sub, claims: { txn: id } }) },
  }
}

/** Of a token that says itself what its task is. */
async function declaredTask({ lane, sub }: Person): Promise<{ id: string; shown: Shown }> {
  const txn = crypto.randomUUID()
  const expires_at = Math.floor(Date.now() / 1000) + 600
  const detail = { type: 'mcp_task', purpose: 'p', tools: [`${lane.server}/*`], expires_at }
  const claims = { txn, authorization_details: [detail] }
  return {
    id: `txn:${txn}`,
    shown: { server: lane.server, bearer: await laneToken(lane, { sub, claims }) },
  }
}

/** Opened at `/tasks` by the desk, and shown by its handle. */
async function openedTask(person: Person): Promise<{ id: string; shown: Shown }> {
  const { lane, sub } = person
  const body = { subject: sub, client: CLIENT, purpose: 'p', expires_in: 600 }
  const { id, handle } = await ask(body, { token: await deskToken(lane) })
  if (handle === undefined) throw new Error('no task was opened')
  const headers = async () => ({ 'sallyport-task': handle })
  return { id, shown: { ...(await plain(person)), headers } }
}

const ENDED = { code: 'task_ended', refusal: { reason: 'task_ended' }, spares: true }
const REVOKED = { code: 'revoked', refusal: { reason: 'revoked', kind: 'task' }, spares: true }

const closeAtDoor = async (id: string, bearer: string): Promise<void> => {
  const { status, text } = await close(id, { token: bearer })
  if (status !== 200) throw new Error(`${status} ${text}`)
}

export const TASKS_BY_SQL: readonly End[] = [
  {
    ...ENDED,
    kind: 'tasks.closed_at',
    plot: async (person) => {
      const { id, shown } = await namedTask(person)
      return { shown, commit: () => sql(closing(person, id)), lift: async () => {} }
    },
  },
  {
    ...REVOKED,
    kind: 'task',
    plot: async (person) => {
      const { id, shown } = await namedTask(person)
      return {
        shown,
        commit: () => sql(revoking(person, 'task', id)),
        lift: () => sql(closing(person, id)),
      }
    },
  },
  {
    ...REVOKED,
    kind: 'declared task',
    plot: async (person) => {
      const { id, shown } = await declaredTask(person)
      return {
        shown,
        commit: () => sql(revoking(person, 'task', id)),
        lift: () => lifted(person),
      }
    },
  },
]

export const TASKS_AT_THE_DOOR: readonly End[] = [
  {
    ...ENDED,
    kind: 'task',
    plot: async (person) => {
      const { id, shown } = await openedTask(person)
      const bearer = await deskToken(person.lane)
      return { shown, commit: () => closeAtDoor(id, bearer), lift: async () => {} }
    },
  },
  {
    ...REVOKED,
    kind: 'declared task',
    plot: async (person) => {
      const { id, shown } = await declaredTask(person)
      const bearer = await deskToken(person.lane)
      return { shown, commit: () => closeAtDoor(id, bearer), lift: () => lifted(person) }
    },
  },
]

/** A consent to the tool, at the server that asks for one. */
async function consent(person: Person): Promise<{ id: string; shown: Shown }> {
  const { lane, sub } = person
  const id = crypto.randomUUID()
  await sql(
    `INSERT INTO consents (tenant, id, issuer, subject, client, server, tool)
     VALUES ('${lane.tenant}', '${id}', '${lane.issuer}', '${sub}', '${CLIENT}', '${lane.asking}', '${TOOL}')`,
  )
  const bearer = await bearerOf(person, { claims: { aud: addressOf(lane.asking) } })
  return { id, shown: { server: lane.asking, bearer } }
}

const withdrawing = ({ lane }: Person, id: string): string =>
  `UPDATE consents SET revoked_at = max(granted_at, unixepoch() * 1000) WHERE tenant = '${lane.tenant}' AND id = '${id}' AND revoked_at IS NULL`

const WITHDRAWN = {
  code: 'consent_required',
  refusal: { reason: 'consent_required', state: 'withdrawn' },
  spares: true,
}

export const CONSENTS: readonly End[] = [
  {
    ...WITHDRAWN,
    kind: 'consents.revoked_at',
    plot: async (person) => {
      const { id, shown } = await consent(person)
      return { shown, commit: () => sql(withdrawing(person, id)), lift: async () => {} }
    },
  },
  {
    ...WITHDRAWN,
    kind: 'consent',
    plot: async (person) => {
      const { id, shown } = await consent(person)
      return {
        shown,
        commit: () => sql(revoking(person, 'consent', id)),
        lift: () => sql(withdrawing(person, id)),
      }
    },
  },
]
