import { describe, expect, it } from 'vitest'
import { wireOf, ID, type Ask } from '../../support/rejections/rejection.ts'
import { REJECTIONS } from '../../support/rejections/sheet.ts'
import {
  inThisWorld,
  post,
  seen,
  sql,
  token,
  type TokenOptions,
} from '../../support/worker/world.ts'

inThisWorld()

async function send(ask: Ask): Promise<Response> {
  const { body, headers } = wireOf(ask)
  const bearer =
    typeof ask.token === 'object' && ask.token !== null
      ? await token(ask.token as TokenOptions)
      : ask.token
  const { server, origin, verb: method, query } = ask
  return post(body, {
    headers,
    ...(bearer === undefined ? {} : { token: bearer }),
    ...(server === undefined ? {} : { server }),
    ...(origin === undefined ? {} : { origin }),
    ...(method === undefined ? {} : { method }),
    ...(query === undefined ? {} : { query }),
  })
}

interface Answer {
  readonly id?: unknown
  readonly error?: { readonly code: number; readonly data: Details }
  readonly result?: { readonly isError: boolean; readonly _meta: Details }
}
type Details = Readonly<Record<'sallyport/refusal', { readonly code: string }>>

const outcomeOf = ({ error, result }: Answer) =>
  error === undefined
    ? {
        rpc: result?.isError === true ? 'tool result' : null,
        ...result?._meta['sallyport/refusal'],
      }
    : { rpc: error.code, ...error.data['sallyport/refusal'] }

describe.each(REJECTIONS)('$step: $what', ({ ask, given = [], status, rpc, code }) => {
  it(`is refused with ${status}, ${rpc}, ${code}, and the upstream sees nothing`, async () => {
    if (given.length > 0) await sql(...given)
    seen.length = 0
    const response = await send(ask)
    const answer = (await response.json()) as Answer
    expect({ status: response.status, ...outcomeOf(answer) }).toMatchObject({ status, rpc, code })
    expect(seen).toEqual([])
    // JSON-RPC 2.0 §5: the id of the request, unless it could not be read.
    const id = answer.id ?? null
    expect(ask.body === undefined ? [ID, null] : [id]).toContain(id)
  })
})
