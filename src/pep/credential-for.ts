import { taskOf } from '../pdp/task.ts'
import type { Result } from '../result.ts'
import type { Carried } from '../upstream/credentials/carried.ts'
import type { CredentialRefusal } from '../upstream/credentials/credentials.ts'
import type { Doors } from './doors.ts'
import type { Caller } from './identify.ts'
import type { Judged } from './judge.ts'
import type { Question } from './question.ts'
import type { Received } from './receive.ts'

/** What a call that door two lets pass will carry to its server. Nothing is recorded of it yet. */
export function credentialFor(
  question: Question,
  decision: string,
  judged: Judged,
  { received, caller, doors }: { received: Received; caller: Caller; doors: Doors },
): Promise<Result<Carried, CredentialRefusal>> {
  const { request, facts, server } = judged
  const { task } = taskOf(question.actor, request, facts)
  return doors.credentials.forCall(
    {
      decision,
      question,
      claims: caller.claims,
      presented: received.credentials,
      message: received.message,
      upstream: server.url,
      access: facts.tool?.access ?? null,
      task: task === null ? null : { id: task.id, expiresAt: task.expiresAt },
    },
    server,
  )
}
