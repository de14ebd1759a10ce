// Poll delivery (RFC 8936): we ask the transmitter for events, and acknowledge what is durable.
import { readBounded } from '../bounded-body.ts'
import { readObject } from '../exact-json.ts'
import type { Fetch } from '../authentication/key-fetch.ts'
import { inTime, LATE } from '../in-time.ts'
import { isJsonObject } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { receiveSet, type Receiver } from './receiver.ts'
import type { SetError, SignalRefusal } from './refusal.ts'
import { readSet } from './set.ts'
import type { Stream } from './stream.ts'

const MAX_BYTES = 1024 * 1024
const TIMEOUT_MS = 5_000
const MAX_EVENTS = 50
/** What is left after so many answers waits for the next round. */
const MAX_ROUNDS = 20

export interface Polled {
  readonly stored: number
  readonly repeated: number
  readonly refused: number
  /** Neither acknowledged nor refused: the transmitter tells them again. */
  readonly put_off: number
}

interface Acknowledgement {
  readonly ack: string[]
  readonly setErrs: Record<string, { readonly err: SetError; readonly description: string }>
}

interface Answer {
  readonly sets: readonly (readonly [jti: string, set: string])[]
  readonly moreAvailable: boolean
}

/** An error is for the operator: a fixed text. */
export async function pollStream(
  receiver: Receiver,
  stream: Stream,
  fetch: Fetch,
  timeoutMs = TIMEOUT_MS,
): Promise<Result<Polled, string>> {
  const { poll, secret, tenant } = stream
  if (poll === null || secret === null) return err('the stream is not polled')
  const use = { tenant, origin: poll.url.origin }
  const known = receiver.secrets.read('signals', secret, use)
  if (!known.ok) return err(known.error)
  const ask = (body: object) =>
    askInTime(poll.url, known.value.authorization, body, fetch, timeoutMs)

  const polled = { stored: 0, repeated: 0, refused: 0, put_off: 0 }
  let told: Acknowledgement = { ack: [], setErrs: {} }
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const answer = await ask({ maxEvents: MAX_EVENTS, returnImmediately: true, ...shown(told) })
    if (!answer.ok) return answer
    told = { ack: [], setErrs: {} }
    // One after the other: their order is the transmitter's, and each is durable before it is
    // acknowledged.
    for (const [jti, text] of answer.value.sets) {
      const outcome = await receive(receiver, stream, jti, text)
      if (outcome.ok) {
        told.ack.push(jti)
        polled[outcome.value] += 1
      } else if (outcome.error.reason === 'set_refused') {
        const { error, description } = outcome.error
        Object.defineProperty(told.setErrs, jti, {
          value: { err: error, description },
          enumerable: true,
        })
        polled.refused += 1
      } else {
        polled.put_off += 1
      }
    }
    const nothing = told.ack.length === 0 && Object.keys(told.setErrs).length === 0
    if (nothing) return ok(polled)
    if (!answer.value.moreAvailable) break
  }
  // RFC 8936 §2.4.2: acknowledge only. If this is lost, they are told again and known by their `jti`.
  const last = await ask({ maxEvents: 0, returnImmediately: true, ...shown(told) })
  return last.ok ? ok(polled) : last
}

const shown = ({ ack, setErrs }: Acknowledgement) => ({
  ...(ack.length === 0 ? {} : { ack }),
  ...(Object.keys(setErrs).length === 0 ? {} : { setErrs }),
})

async function receive(
  receiver: Receiver,
  stream: Stream,
  jti: string,
  text: string,
): Promise<Result<'stored' | 'repeated', SignalRefusal>> {
  const jws = readSet(text)
  if (!jws.ok) return jws
  return receiveSet(receiver, stream, jws.value, jti)
}

async function askInTime(
  url: URL,
  authorization: string,
  body: object,
  fetch: Fetch,
  timeoutMs: number,
): Promise<Result<Answer, string>> {
  const abort = new AbortController()
  try {
    const work = ask(url, authorization, body, fetch, abort.signal)
    const answer = await inTime(work, timeoutMs, LATE)
    return answer === LATE ? err('no answer in time') : answer
  } catch {
    // What the network says about its failures may quote the address and more: not kept.
    return err('the connection failed')
  } finally {
    abort.abort()
  }
}

async function ask(
  url: URL,
  authorization: string,
  body: object,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<Result<Answer, string>> {
  const response = await fetch(url.href, {
    method: 'POST',
    headers: { authorization, accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify(body),
    // A redirect would show our secret to another host.
    redirect: 'manual',
    cache: 'no-store',
    signal,
  })
  const type = (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase()
  if (response.status !== 200 || type !== 'application/json') {
    await response.body?.cancel()
    return err(`the answer was status ${response.status}, or no JSON`)
  }
  const bytes = await readBounded(response.body, MAX_BYTES)
  if (bytes === null) return err('the answer was larger than 1 MiB')
  return readAnswer(bytes)
}

function readAnswer(bytes: Uint8Array): Result<Answer, string> {
  const read = readObject(bytes)
  if (!read.ok) return read
  const { sets = {}, moreAvailable = false } = read.value
  if (!isJsonObject(sets) || typeof moreAvailable !== 'boolean') {
    return err('the answer has no `sets`')
  }
  const all = Object.entries(sets)
  // What exceeds what we asked for waits: we take no more at once than we bound.
  return ok({
    sets: all
      .slice(0, MAX_EVENTS)
      .map(([jti, text]) => [jti, typeof text === 'string' ? text : ''] as const),
    moreAvailable: moreAvailable || all.length > MAX_EVENTS,
  })
}
