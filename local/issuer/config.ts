import { z } from 'zod'
import { parseJson } from './json.ts'

const privateKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string().min(1),
  y: z.string().min(1),
  d: z.string().min(1),
  kid: z.string().min(1),
})
export type PrivateKey = z.infer<typeof privateKey>

/** Both come from whoever starts this server; the key is made on each machine. */
export interface Settings {
  /** This server's own origin, for example `http://127.0.0.1:8788`. */
  ISSUER_URL: string
  /** The private ES256 key as JSON text of a JWK with a `kid`. */
  ISSUER_PRIVATE_JWK: string
}

export interface Config {
  issuer: string
  key: PrivateKey
}

/** Throws with what to set: a demo that starts half configured only moves the error to a client. */
export function parseConfig(settings: Settings): Config {
  return {
    issuer: parseIssuer(settings.ISSUER_URL),
    key: parsePrivateKey(settings.ISSUER_PRIVATE_JWK),
  }
}

/** RFC 8414 §2: clients compare the issuer byte by byte, so it must be spelled in one way only. */
function parseIssuer(text: string | undefined): string {
  if (!text) throw new Error('ISSUER_URL is missing; set it to the origin of this server')
  if (!URL.canParse(text) || new URL(text).origin !== text) {
    throw new Error('ISSUER_URL must be an origin without a path or trailing slash')
  }
  return text
}

export function parsePrivateKey(text: string | undefined): PrivateKey {
  if (!text) {
    throw new Error('ISSUER_PRIVATE_JWK is missing; set it to a private ES256 JWK with a `kid`')
  }
  // The text is a secret: neither a JSON nor a schema error may quote it.
  const parsed = privateKey.safeParse(parseJson(text))
  if (!parsed.success) {
    throw new Error('ISSUER_PRIVATE_JWK must be the JSON of a private P-256 JWK with a `kid`')
  }
  return parsed.data
}
