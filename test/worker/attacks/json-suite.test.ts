// JSONTestSuite (Nicolas Seriot, MIT) as the body of MCP requests, read from the shared folder and never
// copied: what is no JSON is refused with 400 and -32700, and nothing of it reaches the upstream.

import suite from 'vectors:JSONTestSuite/test_parsing'
import transforms from 'vectors:JSONTestSuite/test_transform'
import { describe, expect, it } from 'vitest'
import { inThisWorld, post, seen, token } from '../../support/worker/world.ts'

inThisWorld()

const bytesOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))

interface Answer {
  readonly status: number
  readonly rpc: number | null
  readonly forwarded: number
}

async function send(body: Uint8Array): Promise<Answer> {
  seen.length = 0
  const response = await post(body, { token: await token() })
  const text = await response.text()
  const answer = text === '' ? null : (JSON.parse(text) as { error?: { code: number } })
  return {
    status: response.status,
    rpc: answer?.error?.code ?? null,
    forwarded: seen.length,
  }
}

/** The file as the value of an argument, in a call that is right in every other way. */
function around(bytes: Uint8Array): Uint8Array {
  const before = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"note","arguments":{"x":`
  return Uint8Array.from([
    ...new TextEncoder().encode(before),
    ...bytes,
    ...new TextEncoder().encode('}}}'),
  ])
}

const PARSE_ERROR = { status: 400, rpc: -32700, forwarded: 0 }

/** As in the reader's own test: two members with one name say two things. */
const REFUSED_ON_PURPOSE = new Set([
  'y_object_duplicated_key.json',
  'y_object_duplicated_key_and_value.json',
])

/** What RFC 8259 leaves to the reader: numbers that a double cannot hold are kept as they are written. */
const isAccepted = (name: string): boolean =>
  (name.startsWith('y_') && !REFUSED_ON_PURPOSE.has(name)) || name.startsWith('i_number')

describe.skipIf(suite.length === 0)('JSONTestSuite (skipped where it is not there)', () => {
  it('is complete', () => {
    expect(suite.length).toBeGreaterThanOrEqual(318)
    expect(transforms.length).toBeGreaterThanOrEqual(22)
  })

  it('as a body: no file is a message, and each is refused with 400', async () => {
    for (const [name, base64] of suite) {
      const answer = await send(bytesOf(base64))
      const { rpc } = answer
      expect([name, answer]).toEqual([
        name,
        isAccepted(name) ? { status: 400, rpc, forwarded: 0 } : PARSE_ERROR,
      ])
      if (isAccepted(name) === (rpc === -32700)) throw new Error(`${name} was answered with ${rpc}`)
    }
  })

  it('as an argument: refused with 400, or forwarded byte for byte', async () => {
    for (const [name, base64] of suite) {
      const body = around(bytesOf(base64))
      const answer = await send(body)
      expect([name, answer]).toEqual([
        name,
        isAccepted(name) ? { status: 200, rpc: null, forwarded: 1 } : PARSE_ERROR,
      ])
      expect([name, seen[0]?.body]).toEqual([
        name,
        isAccepted(name) ? new TextDecoder().decode(body) : undefined,
      ])
    }
  })
})

/** Two readers that differ in nothing but what they keep would keep the same of these. */
const KEPT = /^(?:number_|object_key_nf|string_with_escaped_NULL)/

describe.skipIf(transforms.length === 0)('the transformations of JSONTestSuite', () => {
  it('are forwarded byte for byte, or refused', async () => {
    for (const [name, base64] of transforms) {
      const answer = await send(around(bytesOf(base64)))
      expect([name, answer]).toEqual([
        name,
        KEPT.test(name) ? { status: 200, rpc: null, forwarded: 1 } : PARSE_ERROR,
      ])
    }
  })
})
