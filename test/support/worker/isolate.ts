import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { app } from '../../../src/app.ts'
import { RESOURCE, token, toolCall, verdict, type Verdict } from './world.ts'

/**
 * The Worker under test goes on as if it had just started: what it knew, and what it may do so often
 * a second or a minute, begins anew. Its parts are made again for another environment.
 */
export async function forgetEverything(): Promise<void> {
  await app.request('/.well-known/authzen-configuration', {}, { ...env })
}

export interface Answered extends Verdict {
  readonly response: Response
  readonly text: string
  /** Until all that outlives the answer is done. */
  readonly rest: () => Promise<void>
}

/**
 * The same Worker as if it had just started, with its memory empty: what it may do so often a second
 * or a minute counts from here. Its environment may be another one, as in an outage.
 */
export function newIsolate(changed: Partial<Env> = {}) {
  const own = { ...env, ...changed } as Env
  return async (tool: string, sub: string, args: unknown = {}): Promise<Answered> => {
    const context = createExecutionContext()
    const request = new Request(RESOURCE, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${await token({ sub })}`,
      },
      body: toolCall(tool, args),
    })
    const response = await app.fetch(request, own, context)
    const text = await response.clone().text()
    return {
      ...(await verdict(new Response(/^data: (.*)$/m.exec(text)?.[1] ?? text, response))),
      response,
      text,
      rest: () => waitOnExecutionContext(context),
    }
  }
}
