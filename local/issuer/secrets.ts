// Random values and how they are compared.

import { base64url } from 'jose'

const encoder = new TextEncoder()

/** 256 bits, which nobody guesses (RFC 6749 §10.10). */
export function randomSecret(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(32)))
}

/** What is stored in place of a code or token, so that the store cannot be used to sign in. */
export async function digest(text: string): Promise<string> {
  return base64url.encode(
    new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text))),
  )
}

/** RFC 7636 §4.6: the challenge is the digest of the ASCII verifier; §4.1 says how long that is. */
export async function provesPossession(verifier: string, challenge: string): Promise<boolean> {
  return /^[A-Za-z0-9\-._~]{43,128}$/.test(verifier) && (await digest(verifier)) === challenge
}

/** Digests are compared in place of the secrets: how long it takes tells nothing of the secret. */
export async function sameSecret(given: string, expected: string): Promise<boolean> {
  return (await digest(given)) === (await digest(expected))
}
