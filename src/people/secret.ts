import { base64url } from 'jose'

const BYTES = 32

export const randomSecret = (): string =>
  base64url.encode(crypto.getRandomValues(new Uint8Array(BYTES)))

const SECRET = /^[A-Za-z0-9_-]{43}$/

export const isSecret = (text: string): boolean => SECRET.test(text)

/** An array of strings has one JSON form, and its borders are safe. */
const bytesOf = (parts: readonly string[]) => new TextEncoder().encode(JSON.stringify(parts))

const keyOf = (secret: string): Promise<CryptoKey> =>
  crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign', 'verify'],
  )

/** HMAC-SHA-256 over these texts in this order. */
export async function sealOf(secret: string, parts: readonly string[]): Promise<string> {
  const seal = await crypto.subtle.sign('HMAC', await keyOf(secret), bytesOf(parts))
  return base64url.encode(new Uint8Array(seal))
}

export async function isSealed(
  secret: string,
  parts: readonly string[],
  seal: string,
): Promise<boolean> {
  return (
    isSecret(seal) &&
    crypto.subtle.verify(
      'HMAC',
      await keyOf(secret),
      new Uint8Array(base64url.decode(seal)),
      bytesOf(parts),
    )
  )
}
