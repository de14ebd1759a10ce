import type { Background, Doors } from '../pep/doors.ts'
import { err, type Result } from '../result.ts'
import { failed, type Answer } from './answer.ts'
import { answerInOrder, readBatch, type Batch } from './batch.ts'
import { identifyCaller, type PdpCaller } from './caller.ts'
import type { CallerRows } from './caller-rows.ts'
import { evaluateAsked } from './evaluate.ts'
import { receiveQuestion } from './receive.ts'
import { refusedWith, type DoorRefusal } from './refusal.ts'
import { httpError } from './refuse.ts'
import { readAsked } from './request.ts'

/** `/access/v1/evaluation` and `/access/v1/evaluations`: the path of a request for a decision. */
export async function decisionPoint(
  kind: 'evaluation' | 'evaluations',
  request: Request,
  doors: Doors,
  rows: CallerRows,
  background: Background,
): Promise<Response> {
  const answered = await answer(kind, request, doors, rows, background)
  const headers = new Headers({ 'cache-control': 'no-store' })
  const id = requestId(request)
  if (id !== null) headers.set('x-request-id', id)
  if (answered.ok) return Response.json(answered.value, { headers })
  const refused = answered.error
  if (refused.kind === 'refused') {
    const { reason } = refused.refusal
    doors.unrecorded.set(reason, (doors.unrecorded.get(reason) ?? 0) + 1)
  }
  const error = httpError(refused)
  for (const [name, value] of Object.entries(error.headers)) headers.set(name, value)
  return Response.json(
    { error: error.code, message: error.message },
    { status: error.status, headers },
  )
}

async function answer(
  kind: 'evaluation' | 'evaluations',
  request: Request,
  doors: Doors,
  rows: CallerRows,
  background: Background,
): Promise<Result<Answer | { readonly evaluations: readonly Answer[] }, DoorRefusal>> {
  const received = await receiveQuestion(kind, request, doors.config)
  if (!received.ok) return err(refusedWith(received.error))
  const { body } = received.value
  const caller = await identifyCaller(received.value, doors, rows)
  if (!caller.ok) return caller
  const batch = kind === 'evaluations' ? readBatch(body) : null
  if (batch !== null && !batch.ok) return batch
  if (batch !== null && batch.value !== null) {
    const evaluations = await answerBatch(batch.value, caller.value, doors, background)
    return { ok: true, value: { evaluations } }
  }
  const asked = readAsked(body)
  return asked.ok ? evaluateAsked(asked.value, caller.value, doors, background) : asked
}

/** INVARIANT: a question that could not be decided is answered no, in its place. */
async function answerBatch(
  batch: Batch,
  caller: PdpCaller,
  doors: Doors,
  background: Background,
): Promise<readonly Answer[]> {
  let outage: DoorRefusal | null = null
  return answerInOrder(batch, async (asked) => {
    // Nothing is gained by waiting fifty times for a database that does not answer.
    const given = !asked.ok
      ? asked
      : outage === null
        ? await evaluateAsked(asked.value, caller, doors, background)
        : err(outage)
    if (given.ok) return given.value
    const { status, message } = httpError(given.error)
    if (status === 503) outage = given.error
    return failed(status, message)
  })
}

/** AuthZEN 1.0 §10.1.3. What is long or has other characters could do harm in a log, and is dropped. */
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/

function requestId(request: Request): string | null {
  const given = request.headers.get('x-request-id')
  return given !== null && REQUEST_ID.test(given) ? given : null
}
