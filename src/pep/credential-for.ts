import type { JsonValue } from '../mcp/value.ts'
import { narrowedBySignals } from '../pdp/signals.ts'
import type { Question } from '../question/question.ts'
import type { Result } from '../result.ts'
import type { Carried } from '../upstream/credentials/carried.ts'
import type { CredentialRefusal } from '../upstream/credentials/credentials.ts'
import type { Doors } from './doors.ts'
import type { Caller } from './identify.ts'
import type { Judged } from './judge.ts'
import type { Received } from './receive.ts'
import { taskUnder } from './under-task.ts'

/** What one message of a call carries. `name`: of a message beside the one that was decided. */
export type Carry = (
  message: JsonValue,
  name?: string,
) => Promise<Result<Carried, CredentialRefusal>>

/** For a call that door two lets pass. Nothing is recorded of it yet when it is first asked. */
export const carrying = (
  question: Question,
  decision: string,
  judged: Judged,
  { received, caller, doors }: { received: Received; caller: Caller; doors: Doors },
): Carry => {
  const { facts, server } = judged
  // The upstream hears of the login what door two believed, not what the token still says.
  const { acr, authTime } = narrowedBySignals(judged.request, facts).subject.properties
  const asked = { ...question, credential: { ...question.credential, acr, authTime } }
  const task = taskUnder(question, judged)
  return (message, name = decision) =>
    doors.credentials.forCall(
      {
        decision,
        name,
        question: asked,
        claims: caller.claims,
        presented: received.credentials,
        message,
        upstream: server.url,
        access: facts.tool?.access ?? null,
        task: task === null ? null : { id: task.id, expiresAt: task.expiresAt },
      },
      server,
    )
}
