import type { HolderKind } from '../pdp/evaluation.ts'
import type { TaskActor } from './opener.ts'

/** A row of `tasks`, as this door tells of it. */
export interface TaskRow extends TaskActor {
  readonly id: string
  readonly purpose: string
  readonly tools: string | null
  readonly access: string | null
  readonly data_classes: string | null
  readonly max_calls: number | null
  readonly asked_for: string | null
  readonly named_values: string
  readonly opened_by: string
  readonly opened_by_kind: HolderKind
  readonly opened_by_issuer: string | null
  readonly opened_through: string | null
  readonly opened_at: number
  readonly approved_by: string | null
  readonly approved_at: number | null
  readonly expires_at: number
  readonly closed_at: number | null
  readonly closed_by: string | null
  readonly handle_digest: string | null
  readonly request_digest: string | null
}

export const ROW_COLUMNS = [
  'id',
  'issuer',
  'subject',
  'client',
  'agent',
  'purpose',
  'tools',
  'access',
  'data_classes',
  'max_calls',
  'asked_for',
  'named_values',
  'opened_by',
  'opened_by_kind',
  'opened_by_issuer',
  'opened_through',
  'opened_at',
  'approved_by',
  'approved_at',
  'expires_at',
  'closed_at',
  'closed_by',
  'handle_digest',
  'request_digest',
] as const satisfies readonly (keyof TaskRow)[]

/** INVARIANT: no digest is told: of a handle nothing leaves but the handle itself, once. */
export function taskAnswer(row: TaskRow, handle: string | null = null) {
  return {
    id: row.id,
    ...(handle === null ? {} : { handle }),
    issuer: row.issuer,
    subject: row.subject,
    client: row.client,
    agent: row.agent,
    purpose: row.purpose,
    tools: listOf(row.tools),
    access: listOf(row.access),
    data_classes: listOf(row.data_classes),
    max_calls: row.max_calls,
    asked_for: row.asked_for,
    named_values: listOf(row.named_values),
    opened: {
      by: row.opened_by,
      kind: row.opened_by_kind,
      issuer: row.opened_by_issuer ?? row.issuer,
      through: row.opened_through,
      at: time(row.opened_at),
    },
    approved: row.approved_by === null ? null : { by: row.approved_by, at: time(row.approved_at) },
    expires_at: time(row.expires_at),
    closed: row.closed_at === null ? null : { by: row.closed_by, at: time(row.closed_at) },
  }
}

const listOf = (json: string | null): unknown => (json === null ? null : JSON.parse(json))

/** RFC 3339, in UTC. */
const time = (at: number | null): string | null => {
  const date = new Date(at ?? NaN)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}
