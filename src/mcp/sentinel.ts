// Pure. Header values that plain ASCII cannot carry (MCP 2026-07-28,
// basic/transports/streamable-http, "Value Encoding"): `=?base64?<base64 of UTF-8>?=`.

const PREFIX = '=?base64?'
const SUFFIX = '?='
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** A URI of 2048 characters has at most 6144 bytes of UTF-8, so 8192 of base64. */
const MAX_LENGTH = 16_384

/**
 * What a header value stands for; null if nobody could say for certain: bytes that had to be
 * encoded and were not, or an encoding with more than one reading.
 */
export function decodeHeaderValue(value: string): string | null {
  if (value.length > MAX_LENGTH || !/^[\x20-\x7e]*$/.test(value)) return null
  // With one end of the marker alone it is no marker: then it is what it says.
  if (!value.startsWith(PREFIX) || !value.endsWith(SUFFIX)) return value
  if (value.length < PREFIX.length + SUFFIX.length) return null
  return decodeBase64Utf8(value.slice(PREFIX.length, -SUFFIX.length))
}

/** RFC 4648 §4 with padding and without leftover bits (§3.5): each text has one encoding. */
function decodeBase64Utf8(encoded: string): string | null {
  if (encoded.length % 4 !== 0) return null
  const digits = encoded.replace(/={1,2}$/, '')
  let percentEncoded = ''
  let bits = 0
  let held = 0
  for (const digit of digits) {
    const sextet = ALPHABET.indexOf(digit)
    if (sextet < 0) return null
    bits = ((bits << 6) | sextet) & 0xffff
    held += 6
    if (held < 8) continue
    held -= 8
    percentEncoded += `%${((bits >> held) & 0xff).toString(16).padStart(2, '0')}`
  }
  if ((bits & ((1 << held) - 1)) !== 0) return null
  try {
    // ECMAScript's own strict UTF-8 decoder: no overlong forms, no surrogates (ECMA-262 §19.2.6.1).
    return decodeURIComponent(percentEncoded)
  } catch {
    return null
  }
}
