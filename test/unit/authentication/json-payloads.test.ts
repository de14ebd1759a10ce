// JSONTestSuite (Nicolas Seriot, MIT) as the payload of tokens, read from the shared folder and never
// copied. Signed well, so that nothing but the reading of the payload can refuse them.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { authenticate } from '../../../src/authentication/authenticate.ts'
import type { Credentials } from '../../../src/authentication/credentials.ts'
import { cellOf } from './attack.ts'
import { bearer, contextWith, HEADER, json, PAYLOAD, sign } from './token-smith.ts'
import { by, signAs, SVID, workloadContext } from './workload/workload-smith.ts'

const folder = join(process.env['SALLYPORT_SHARED'] ?? '../shared', 'vectors/JSONTestSuite')
const isThere = existsSync(folder)
const namesIn = (name: string) => (isThere ? readdirSync(join(folder, name)).toSorted() : [])
const suite = namesIn('test_parsing')
const transforms = namesIn('test_transform')

/** A good payload with these bytes as the value of one more claim. */
function around(bytes: Uint8Array, members = PAYLOAD): Uint8Array {
  const before = new TextEncoder().encode(`${json(members).slice(0, -1)},"x":`)
  return Buffer.concat([before, bytes, new TextEncoder().encode('}')])
}

const outcome = async (credentials: Credentials, context = contextWith()) => {
  const result = await authenticate(credentials, context)
  return result.ok ? 'accepted' : cellOf(result.error)
}

const asClaim = async (path: string) =>
  outcome(bearer(await sign(json(HEADER), around(readFileSync(join(folder, path))))))

const asSvidClaim = async (path: string) => {
  const payload = around(readFileSync(join(folder, path)), SVID)
  const text = await signAs(by('prod jwt'), '{"alg":"ES256","kid":"jwt-1"}', payload)
  return outcome(bearer(text), workloadContext())
}

/** Valid JSON that says two things: readers differ in which of two members they keep. */
const REFUSED_ON_PURPOSE = new Set([
  'y_object_duplicated_key.json',
  'y_object_duplicated_key_and_value.json',
])
/** Of what RFC 8259 leaves to the reader: a large number that a double holds exactly. */
const CHOSEN = new Set(['i_number_too_big_pos_int.json'])
/** Longer than a token may be, so that nobody starts to read. */
const TOO_LONG = new Set([
  'n_structure_100000_opening_arrays.json',
  'n_structure_open_array_object.json',
])

function expected(name: string): string {
  if (TOO_LONG.has(name)) return 'spelling'
  if (CHOSEN.has(name)) return 'accepted'
  return name.startsWith('y_') && !REFUSED_ON_PURPOSE.has(name) ? 'accepted' : 'payload'
}

describe.skipIf(!isThere)('JSONTestSuite as a claim (skipped where the suite is not there)', () => {
  it('is complete', () => {
    expect(suite.length).toBeGreaterThanOrEqual(318)
  })

  it.each(suite)('%s', async (name) => {
    expect(await asClaim(`test_parsing/${name}`)).toBe(expected(name))
  })

  it('reads the payload of a JWT-SVID in the same way', async () => {
    for (const name of suite) {
      expect([name, await asSvidClaim(`test_parsing/${name}`)]).toEqual([name, expected(name)])
    }
  })

  it('is no payload by itself', async () => {
    for (const name of suite) {
      const bytes = readFileSync(join(folder, 'test_parsing', name))
      const text = await sign(json(HEADER), bytes)
      const cell = await outcome(bearer(text))
      // A file of no bytes is no segment either.
      const isNone = bytes.length === 0 || TOO_LONG.has(name)
      const cells = isNone ? ['spelling'] : ['payload', 'issuer']
      expect([name, cells.includes(cell)]).toEqual([name, true])
    }
  })
})

/** What the suite only describes: whatever two readers could read differently is refused. */
const READ_ALIKE = new Set([
  'number_1.0.json',
  'number_1000000000000000.json',
  'number_1e6.json',
  // Two names that only a normalisation would make one; nobody here normalises.
  'object_key_nfc_nfd.json',
  'object_key_nfd_nfc.json',
  'string_with_escaped_NULL.json',
])

describe.skipIf(!isThere)('the transformations of JSONTestSuite', () => {
  it.each(transforms)('%s', async (name) => {
    const cell = READ_ALIKE.has(name) ? 'accepted' : 'payload'
    expect(await asClaim(`test_transform/${name}`)).toBe(cell)
  })
})
