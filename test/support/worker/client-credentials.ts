import { expect } from 'vitest'

/**
 * Every credential that a client shows in a test, and whether any of it ever reaches an upstream: not as
 * it is, not inside something else, and not with another signature.
 */
const CREDENTIAL_HEADERS = [
  'authorization',
  'dpop',
  'workload-identity-token',
  'workload-proof-token',
  'txn-token',
  'sallyport-task',
]

const shown = new Set<string>()
const leaks: string[] = []

/** Shorter texts are words (`Bearer x`), which a message may hold by chance. */
const SHORTEST = 16

export function noteShown(headers: Headers): void {
  for (const name of CREDENTIAL_HEADERS) {
    for (const word of (headers.get(name) ?? '').split(/[ ,]+/)) {
      // Of a JWT its claims: the signature of an ECDSA token can be written in another way.
      const [text = '', claims] = word.includes('.') ? [word, word.split('.')[1]] : [word]
      for (const part of [text, claims ?? '']) if (part.length >= SHORTEST) shown.add(part)
    }
  }
}

/** For whatever stands in an upstream's place. */
export async function watchUpstream(request: Request): Promise<void> {
  const copy = request.clone()
  const everything = [copy.url, ...[...copy.headers].flat(), await copy.text()]
  for (const secret of shown) {
    if (everything.some((text) => text.includes(secret))) leaks.push(`${secret} at ${copy.url}`)
  }
  // Also one that was shown where nobody noted it.
  for (const jwt of everything.flatMap((text) => text.match(JWT) ?? [])) {
    if (isForSallyport(jwt)) leaks.push(`${jwt} at ${copy.url}`)
  }
}

const JWT = /eyJ[\w-]+\.eyJ[\w-]+/g
const SALLYPORT = 'http://localhost:8787/'

function isForSallyport(jwt: string): boolean {
  try {
    const claims = (jwt.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')
    const { aud } = JSON.parse(atob(claims)) as { aud?: unknown }
    return [aud].flat().some((one) => typeof one === 'string' && one.startsWith(SALLYPORT))
  } catch {
    return false
  }
}

/** What leaked since this was asked last. */
export const foundLeaks = (): readonly string[] => leaks.splice(0)

/** After each test: what leaked in it, fails it. */
export function assertNothingLeaked(): void {
  shown.clear()
  expect(foundLeaks()).toEqual([])
}
