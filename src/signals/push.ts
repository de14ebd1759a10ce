// POST /events/{stream}: push delivery of Security Event Tokens (RFC 8935).
import { readBounded, decode } from '../bounded-body.ts'
import type { Jws } from '../authentication/jws.ts'
import { isOurs, type Config } from '../config.ts'
import { err, ok, type Result } from '../result.ts'
import { sha256 } from '../sha256.ts'
import type { Allowance } from '../allowance.ts'
import { openStream, openStreams, receiveSet, type Receiver } from './receiver.ts'
import { answerTo, setRefused, type SignalRefusal } from './refusal.ts'
import { readSet, verifySet } from './set.ts'
import type { Stream } from './stream.ts'

/** A little more than the longest token that is read (spelling.ts). */
const MAX_BYTES = 20 * 1024

export interface PushDoor {
  readonly config: Config
  readonly receiver: Receiver
  /** Of this isolate: readings that strangers can cause, and what one stream may cause. */
  readonly strangers: Allowance
  readonly allowanceOf: (stream: string) => Allowance
  /** Readings of which streams there are. */
  readonly listings: Allowance
  /** Streams as last seen. They may spare an event the strangers' bound, and never accept one. */
  readonly known: Map<string, Stream>
}

/** INVARIANT: 202, with an empty body, only after the durable write (RFC 8935 §2.2). */
export async function pushDelivery(
  request: Request,
  id: string,
  door: PushDoor,
): Promise<Response> {
  const received = await receivePush(request, id, door)
  return received.ok
    ? new Response(null, { status: 202, headers: { 'cache-control': 'no-store' } })
    : answerTo(received.error)
}

async function receivePush(
  request: Request,
  id: string,
  door: PushDoor,
): Promise<Result<'stored' | 'repeated', SignalRefusal>> {
  const { config, receiver, known } = door
  const refusal = formRefused(request, config)
  if (refusal !== null) return err(refusal)
  const body = await readBounded(request.body, MAX_BYTES)
  if (body === null) return err(form(413, 'the event is larger than 20 KiB'))
  const jws = readSet(decode(body) ?? '')
  if (!jws.ok) return jws
  // Well-formed texts can be made up as well: what they cost is bounded before anything is read.
  if (!(await mayAsk(id, jws.value, door))) return err({ reason: 'too_many' })
  const stream = await openStream(receiver, id)
  if (!stream.ok) return stream
  // A stream that we poll tells nothing by itself.
  if (stream.value.poll !== null) return err({ reason: 'stream_unknown' })
  const shown = await showsSecret(request, stream.value, config, receiver)
  if (!shown.ok) return shown
  remember(known, stream.value)
  return receiveSet(receiver, stream.value, jws.value)
}

const MOST_KNOWN = 256

function remember(known: PushDoor['known'], stream: Stream): void {
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(stream.id, stream)
}

/** A flood without keys must not take the place of the one who has them. */
async function mayAsk(id: string, jws: Jws, door: PushDoor): Promise<boolean> {
  const { receiver, strangers, listings, allowanceOf, known } = door
  // Nor must a flood under names that are made up.
  if (!known.has(id) && listings.take(receiver.now())) {
    for (const one of await openStreams(receiver)) remember(known, one)
  }
  const stream = known.get(id)
  const isOfTransmitter =
    stream !== undefined && (await verifySet(jws, stream, receiver.keys, receiver.now())).ok
  return (isOfTransmitter ? allowanceOf(id) : strangers).take(receiver.now())
}

function formRefused(request: Request, config: Config): SignalRefusal | null {
  if (!isOurs(request, config)) return form(403, 'this Host is not served here')
  // No browser sends events: a page that does was not asked to.
  if (request.headers.has('origin')) return form(403, 'pages do not send events')
  if (request.method !== 'POST') return form(405, 'only POST is served here')
  const type = request.headers.get('content-type') ?? ''
  if (type.trim().toLowerCase() !== 'application/secevent+jwt') {
    return form(415, 'send `Content-Type: application/secevent+jwt`')
  }
  const encoding = request.headers.get('content-encoding')
  return encoding === null || encoding.trim().toLowerCase() === 'identity'
    ? null
    : form(415, 'send the body without a Content-Encoding')
}

const form = (status: 403 | 405 | 413 | 415, description: string): SignalRefusal => ({
  reason: 'form_refused',
  status,
  description,
})

/** Where the row names a secret, the transmitter shows what stands in it, besides its signature. */
async function showsSecret(
  request: Request,
  { tenant, secret }: Stream,
  config: Config,
  { secrets, report }: Receiver,
): Promise<Result<true, SignalRefusal>> {
  if (secret === null) return ok(true)
  const [origin] = config.publicOrigins
  const known = secrets.read('signals', secret, { tenant, origin })
  if (!known.ok) {
    report(secret, known.error)
    return err({ reason: 'unavailable' })
  }
  const given = request.headers.get('authorization') ?? ''
  // Digests, so that how long the comparison takes says nothing.
  const isSame = (await sha256(given)) === (await sha256(known.value.authorization))
  return isSame
    ? ok(true)
    : setRefused('authentication_failed', 'the Authorization header is not the one agreed on')
}
