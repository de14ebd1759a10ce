// Pure. Subject identifiers (RFC 9493 §3, SSF 1.0 §3.2): what each format names here.
import { isIdentifier } from '../authentication/text.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import type { Stream } from './stream.ts'

/** What one identifier may mean, before `subject_aliases` is asked. */
export type Meaning =
  /** The `sub` of tokens of the stream's issuer, or the name of whatever stands there. */
  | { readonly kind: 'name'; readonly name: string }
  /** Only a row of `subject_aliases` says whose it is; for opaque ones, besides what it names itself. */
  | { readonly kind: 'alias'; readonly format: string; readonly value: string }
  | { readonly kind: 'token'; readonly id: string }
  /** Another issuer's: none of this stream's business. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'unsupported'; readonly format: string }

type Reader = (identifier: JsonObject, stream: Stream) => readonly Meaning[] | null

const alias =
  (format: string, member = format): Reader =>
  (identifier) => {
    const value = identifier[member]
    return isIdentifier(value) ? [{ kind: 'alias', format, value }] : null
  }

/** One row per format; null: malformed. What is absent is acknowledged, logged, and has no effect. */
const FORMATS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [
    'iss_sub',
    ({ iss, sub }, { issuer }) => {
      if (!isIdentifier(iss) || !isIdentifier(sub)) return null
      if (iss !== issuer) return [{ kind: 'foreign' }]
      return [
        { kind: 'name', name: sub },
        { kind: 'alias', format: 'iss_sub', value: sub },
      ]
    },
  ],
  [
    'opaque',
    ({ id }) =>
      isIdentifier(id)
        ? [
            { kind: 'name', name: id },
            { kind: 'alias', format: 'opaque', value: id },
          ]
        : null,
  ],
  [
    'email',
    ({ email }, { emailIsSubject }) => {
      if (!isIdentifier(email)) return null
      const known: Meaning = { kind: 'alias', format: 'email', value: email }
      return emailIsSubject ? [{ kind: 'name', name: email }, known] : [known]
    },
  ],
  ['phone_number', alias('phone_number')],
  ['account', alias('account', 'uri')],
  ['uri', alias('uri')],
  ['did', alias('did', 'url')],
  [
    'jwt_id',
    ({ iss, jti }, { issuer }) => {
      if (!isIdentifier(iss) || !isIdentifier(jti)) return null
      return [iss === issuer ? { kind: 'token', id: jti } : { kind: 'foreign' }]
    },
  ],
  [
    'aliases',
    ({ identifiers }, stream) => {
      if (!Array.isArray(identifiers) || identifiers.length === 0) return null
      const found: Meaning[] = []
      for (const one of identifiers as readonly JsonValue[]) {
        // RFC 9493 §3.2.8: not nested.
        if (!isJsonObject(one) || one['format'] === 'aliases') return null
        const read = meaningsOf(one, stream)
        if (!read.ok) return null
        found.push(...read.value)
      }
      return found.length > MOST_MEANINGS ? null : found
    },
  ],
])

const MOST_MEANINGS = 32

export function meaningsOf(
  identifier: JsonObject,
  stream: Stream,
): Result<readonly Meaning[], 'malformed'> {
  const format = identifier['format']
  if (typeof format !== 'string') return err('malformed')
  const read = FORMATS.get(format)
  if (read === undefined) return ok([{ kind: 'unsupported', format: format.slice(0, 64) }])
  const meanings = read(identifier, stream)
  return meanings === null ? err('malformed') : ok(meanings)
}
