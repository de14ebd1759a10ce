import type { Call, PastCall } from '../../../../src/cli/call/call.ts'
import type { TokenWords } from '../../../../src/cli/call/credential.ts'
import { readJson } from '../../../../src/mcp/json.ts'
import type { JsonObject } from '../../../../src/mcp/value.ts'

export const ISSUER = 'https://issuer.example'

export const json = (value: unknown): JsonObject => {
  const read = readJson(JSON.stringify(value))
  if (!read.ok) throw new Error(read.error.detail)
  return read.value as JsonObject
}

export const SILENT: TokenWords = {
  sessionId: null,
  keyId: null,
  bindings: [],
  authorizationDetails: null,
  transaction: null,
}

export const ASK = (column: string, value: string) =>
  `UPDATE policies SET ${column} = ${value} WHERE id = 'sales-may-refund';`

const CLOSE = 'UPDATE tasks SET closed_at = unixepoch() * 1000;'
/** A second task in place of the first, or beside it. */
export const TASK = (column: string, value: string, instead = true) =>
  `${instead ? CLOSE : ''} INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, ${column}, opened_by, expires_at)
  VALUES ('acme', 't2', '${ISSUER}', 'alice', 'acme-agent', 'more', ${value}, 'alice', 4102444800000);`

const txn = (transaction: string) => ({ token: { ...SILENT, transaction } })
const declaring = (more: object) => {
  const entry = { type: 'mcp_task', purpose: 'p', expires_at: 4_102_444_800, ...more }
  return { token: { ...SILENT, transaction: 'x', authorizationDetails: [json(entry)] } }
}

const past: PastCall = {
  tool: 'find_orders',
  server: null,
  arguments: json({ filter: {} }),
  secondsAgo: null,
  outcome: 'committed',
  labels: [],
  resultRows: null,
  result: null,
}

export type Row = readonly [
  reason: string,
  sql: string,
  call: Partial<Call>,
  says: readonly (string | RegExp)[],
]

/** A gate stands before them, so what they would say is not told. */
const NOT_ASKED = 'policies were not asked'

/** What tasks have to do with: the part of the sheet of explain.test.ts that is about them. */
export const TASK_ROWS: readonly Row[] = [
  [
    'task_ambiguous',
    `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at)
     VALUES ('acme', 't2', '${ISSUER}', 'alice', 'acme-agent', 'more', 'alice', 4102444800000);`,
    {},
    ['more than one task', 'task `t2` (more): any tool, any access'],
  ],
  ['outside_task', TASK('access', `'["read"]'`), {}, ['task `t2` is open', 'its class of access']],
  ['outside_task', TASK('tools', `'["crm/*"]'`), {}, ['does not cover this tool']],
  ['outside_task', TASK('data_classes', `'["public"]'`), {}, ['sensitivity of what it touches']],
  ['task_unknown', '', { task: 'nobody' }, ['what the handle names is no task', NOT_ASKED]],
  ['task_ended', CLOSE, { task: 't1' }, ['task `t1` is closed', NOT_ASKED]],
  [
    'task_conflict',
    `${TASK('access', 'NULL', false)}`,
    { ...txn('t1'), task: 't2' },
    ['another', NOT_ASKED],
  ],
  ['task_invalid', '', declaring({}), ['opens_tasks is 0', NOT_ASKED]],
  [
    'task_invalid',
    'UPDATE issuers SET opens_tasks = 1;',
    declaring({ until: 'then' }),
    ['cannot be read'],
  ],
  ['task_required', `${CLOSE} ${ASK('require_task', "'any'")}`, {}, ['under a task']],
  ['task_required', ASK('require_task', "'approved'"), {}, ['under an approved task']],
  [
    'task_spent',
    TASK('max_calls', '1'),
    { history: [{ ...past, outcome: 'failed' }, { ...past, outcome: 'denied' }, past] },
    ['task `t2` allows no further call'],
  ],
]
