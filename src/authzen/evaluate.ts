import type { Background, Doors } from '../pep/doors.ts'
import { isIdentifier } from '../authentication/text.ts'
import { err, ok, type Result } from '../result.ts'
import { admitCall } from './admit.ts'
import { ownDenial, type Answer } from './answer.ts'
import type { PdpCaller } from './caller.ts'
import { answerQuestion, type Asking } from './decide.ts'
import { readAct, serverNamed } from './mapping.ts'
import { matterOf } from './question.ts'
import type { DoorRefusal } from './refusal.ts'
import { malformed, readObject, type Asked, type Malformed } from './request.ts'
import { readPerson } from './subject.ts'

/** One question from its members to its answer. */
export async function evaluateAsked(
  asked: Asked,
  caller: PdpCaller,
  doors: Doors,
  background: Background,
): Promise<Result<Answer, DoorRefusal>> {
  const act = readAct(asked)
  if (!act.ok) return act
  const person = readPerson(asked, caller.claims.client, Date.now())
  if (!person.ok) return person
  const named = serverNamed(asked, doors.config.publicOrigins)
  if (!named.ok) return named
  const key = admitKey(asked)
  if (!key.ok) return key
  const { row } = caller
  const server = named.value ?? row.servers[0]
  // INVARIANT: nothing is looked up for a question that the caller's row does not cover.
  if (server === undefined || !row.servers.includes(server)) return NOT_PERMITTED
  if (!row.maySpeakOf(asked.subject.id)) return NOT_PERMITTED
  if (key.value !== null && !row.mayAdmit) return NOT_PERMITTED
  if (act.value === 'unknown') return ok(ownDenial('method_unknown'))
  if (person.value === 'unknown') return ok(ownDenial('subject_type_unknown'))
  const matter = await matterOf(caller, act.value, person.value, server)
  const asking: Asking = { caller, matter, doors, background }
  return key.value === null ? answerQuestion(asking) : admitCall(asking, key.value)
}

const NOT_PERMITTED = err({ kind: 'not_permitted' } as const)

/** null: a question only. */
function admitKey({ context }: Asked): Result<string | null, Malformed> {
  const { admit } = context
  if (admit === undefined) return ok(null)
  const given = readObject(admit, 'context.admit')
  if (!given.ok) return given
  const key = given.value['idempotency_key']
  return isIdentifier(key)
    ? ok(key)
    : malformed('`context.admit.idempotency_key` must be a short text')
}
