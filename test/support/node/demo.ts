import type { RecordedCall } from '../../../local/server/calls.ts'
import type { StackRecord } from '../../../local/state.ts'

// The switches and the notebooks of the demo issuer and the demo server.

/** How an endpoint of the issuer can be made to misbehave. Its own list is typed for workerd, not Node. */
export type Fault =
  | 'none'
  | 'hang'
  | 'error'
  | 'unauthorized'
  | 'garbage'
  | 'page'
  | 'redirect'
  | 'huge'

export const setFault = (
  stack: StackRecord,
  mode: Fault,
  path: '/jwks.json' | '/introspect' | '/token' | '/revoke' = '/jwks.json',
): Promise<unknown> => post(new URL('/_demo/fault', stack.issuer), { path, mode })

/** From now on the issuer signs with a key that nobody has seen. */
export const rotateKey = (stack: StackRecord, dropOld = false): Promise<unknown> =>
  post(new URL('/_demo/rotate', stack.issuer), { drop_old: dropOld })

/** How often each path of the issuer was asked for. */
export const issuerRequests = async (stack: StackRecord): Promise<Record<string, number>> =>
  (await fetch(new URL('/_demo/requests', stack.issuer))).json() as Promise<Record<string, number>>

/** Every message that has reached the demo server since it was last asked, and forgets them. */
export async function takeCalls(stack: StackRecord): Promise<RecordedCall[]> {
  const answer = await fetch(new URL('/_demo/calls', stack.server))
  const calls = (await answer.json()) as RecordedCall[]
  await post(new URL('/_demo/reset', stack.server), {})
  return calls
}

async function post(url: URL, body: unknown): Promise<unknown> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${url.pathname} answered ${answer.status}`)
  const text = await answer.text()
  return text === '' ? null : JSON.parse(text)
}
