// The Big List of Naughty Strings (Max Woolf, MIT) through the whole Worker, read from the shared folder
// and never copied: no string brings the Worker down, and each is stored as it came or refused.

import files from 'vectors:blns'
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { inThisWorld, newUser, post, seen, token, toolCall } from '../../support/worker/world.ts'

inThisWorld()

const [, list = ''] = files.find(([name]) => name === 'blns.json') ?? []
const strings =
  list === ''
    ? []
    : (JSON.parse(
        new TextDecoder().decode(Uint8Array.from(atob(list), (letter) => letter.charCodeAt(0))),
      ) as string[])

const TIMEOUT_MS = 60_000

/** What no identifier in a token may be: empty, longer than 256 bytes, or able to end a line. */
const isIdentifier = (text: string): boolean =>
  text !== '' && new TextEncoder().encode(text).length <= 256 && !/[\p{Cc}\u2028\u2029]/u.test(text)

interface Answer {
  readonly status: number
  readonly code: string | undefined
  readonly decision: string | null
}

async function ask(body: string, bearer: string): Promise<Answer> {
  const response = await post(body, { token: bearer })
  const { result, error } = await response.json<{
    result?: { _meta?: Record<string, { code: string; decision: string | null }> }
    error?: { message: string; data?: Record<string, { code: string; decision: string | null }> }
  }>()
  const refusal = (result?._meta ?? error?.data)?.['sallyport/refusal']
  return {
    status: response.status,
    code: refusal?.code ?? (error === undefined ? 'allowed' : error.message),
    decision: refusal?.decision ?? null,
  }
}

interface Row {
  readonly id: string
  readonly subject: string
  readonly client: string
  readonly agent: string | null
  readonly record: string
}

/** The records of these decisions, once all of them have come out of their sessions. */
const stored = async (decisions: readonly string[]): Promise<ReadonlyMap<string, Row>> =>
  vi.waitFor(async () => {
    const { results } = await env.DECISIONS.prepare(
      'SELECT id, subject, client, agent, record FROM decisions WHERE id IN (SELECT value FROM json_each(?1))',
    )
      .bind(JSON.stringify(decisions))
      .all<Row & Record<string, unknown>>()
    if (results.length < decisions.length) throw new Error(`${results.length} so far`)
    return new Map(results.map((row) => [row.id, row]))
  }, 30_000)

const argumentsIn = ({ record }: Row): unknown => {
  const { inputs } = JSON.parse(record) as {
    inputs: { request: { context: { arguments: unknown } } }
  }
  return inputs.request.context.arguments
}

describe.skipIf(strings.length === 0)(
  'naughty strings (skipped where the list is not there)',
  () => {
    it('is complete', () => {
      expect(strings.length).toBeGreaterThanOrEqual(515)
    })

    it.each<['subject' | 'client' | 'agent', (text: string) => Promise<string>, string]>([
      ['subject', (text: string) => token({ sub: text }), 'not_allowed'],
      ['client', (text: string) => token({ client: text }), 'client_not_registered'],
      ['agent', (text: string) => token({ agent: text }), 'agent_not_registered'],
    ])(
      'as the %s and as an argument',
      async (column, tokenOf, code) => {
        const decided = new Map<string, string>()
        for (const text of strings) {
          const answer = await ask(toolCall('note', { text }), await tokenOf(text))
          const expected = isIdentifier(text) ? [200, code] : [401, 'token_invalid']
          expect([text, answer.status, answer.code]).toEqual([text, ...expected])
          if (isIdentifier(text)) decided.set(answer.decision ?? '', text)
        }
        expect(decided.size).toBeGreaterThan(400)
        const rows = await stored([...decided.keys()])
        for (const [decision, text] of decided) {
          const row = rows.get(decision)
          expect([row?.[column], row && argumentsIn(row)]).toEqual([text, { text }])
        }
        expect(seen).toEqual([])
      },
      TIMEOUT_MS,
    )

    it(
      'as the name of a tool',
      async () => {
        const bearer = await token({ sub: await newUser() })
        for (const text of strings) {
          const { status, code } = await ask(toolCall(text), bearer)
          expect([text, status < 500, code !== 'allowed']).toEqual([text, true, true])
        }
        expect(seen).toEqual([])
      },
      TIMEOUT_MS,
    )

    it(
      'as an argument that is forwarded',
      async () => {
        const bearer = await token({ sub: await newUser() })
        for (const text of strings) {
          seen.length = 0
          const body = toolCall('note', { [text]: text })
          const { status, code } = await ask(body, bearer)
          expect([text, status, code]).toEqual([text, 200, 'allowed'])
          expect(seen.map((request) => request.body)).toEqual([body])
        }
      },
      TIMEOUT_MS,
    )
  },
)
