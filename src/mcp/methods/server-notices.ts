// Pure. The notifications of a server, one row each: on what ground one may reach a client. Absent
// means that it is dropped.
import type { ListKind } from '../operation.ts'
import type { Era } from '../refusal.ts'
import { BOTH, LEGACY, MODERN } from './row.ts'

export type Ground =
  /** About a request that is open: its progress, by the token that this client gave. */
  | { readonly kind: 'progress' }
  /** About a request that is open, or on a session's own stream: what the server logs. */
  | { readonly kind: 'log' }
  /** A listing may have changed: tells nothing else, the listing itself is filtered. */
  | { readonly kind: 'list_changed'; readonly list: ListKind }
  /** `params.uri`: only what this actor could be allowed, and in a subscription what that one names. */
  | { readonly kind: 'resource' }
  /** A task of this actor, by `params.taskId`; what it carries is read like a result. */
  | { readonly kind: 'task' }
  /** Takes back a request of the server's own. */
  | { readonly kind: 'cancelled' }
  /** A person is done at a url that an elicitation named. */
  | { readonly kind: 'elicitation' }
  /** The first message of a subscription, with what the server accepted of it. */
  | { readonly kind: 'acknowledged' }

export interface ServerNoticeRow {
  readonly eras: readonly Era[]
  readonly ground: Ground
}

const row = (eras: readonly Era[], ground: Ground): ServerNoticeRow => ({ eras, ground })

export const SERVER_NOTICES: Readonly<Record<string, ServerNoticeRow>> = {
  'notifications/progress': row(BOTH, { kind: 'progress' }),
  'notifications/message': row(BOTH, { kind: 'log' }),
  'notifications/tools/list_changed': row(BOTH, { kind: 'list_changed', list: 'tools' }),
  'notifications/prompts/list_changed': row(BOTH, { kind: 'list_changed', list: 'prompts' }),
  'notifications/resources/list_changed': row(BOTH, { kind: 'list_changed', list: 'resources' }),
  'notifications/resources/updated': row(BOTH, { kind: 'resource' }),
  'notifications/cancelled': row(BOTH, { kind: 'cancelled' }),
  'notifications/tasks/status': row(LEGACY, { kind: 'task' }),
  'notifications/tasks': row(MODERN, { kind: 'task' }),
  'notifications/elicitation/complete': row(LEGACY, { kind: 'elicitation' }),
  'notifications/subscriptions/acknowledged': row(MODERN, { kind: 'acknowledged' }),
}

/** null: dropped. */
export function groundOf(method: string, era: Era): Ground | null {
  const known = Object.hasOwn(SERVER_NOTICES, method) ? SERVER_NOTICES[method] : undefined
  return known?.eras.includes(era) === true ? known.ground : null
}
