import type { Credentials } from './credentials.ts'
import { sessionKeyOf } from '../question/history-keys.ts'
import type { Actor } from '../pdp/evaluation.ts'

/**
 * Something of this subject ended: what was given for it is taken back now, and not at the object's next
 * look. For the background: whether it succeeds or not, that look comes.
 */
export async function lookNow(
  objects: Pick<DurableObjectNamespace<Credentials>, 'getByName'>,
  subject: Pick<Actor, 'tenant' | 'issuer' | 'subject'>,
): Promise<void> {
  try {
    const name = await sessionKeyOf({ ...subject, client: '', agent: null })
    const object = objects.getByName(name) as unknown as Pick<Credentials, 'look'>
    await object.look()
  } catch (error) {
    console.warn('credentials were not looked at', String(error))
  }
}
