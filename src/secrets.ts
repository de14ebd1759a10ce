// Worker secrets that rows may name. What each may be used for stands inside the secret itself.

import { readObject } from './exact-json.ts'
import { err, ok, type Result } from './result.ts'

/**
 * One row per purpose: how the names of such secrets begin, and what they hold besides `tenant` and
 * `origin`. Nothing else of the Worker's environment can be named by a row.
 */
const PURPOSES = {
  introspection: { prefix: 'INTROSPECTION_', members: ['client_id', 'client_secret'] },
  login: { prefix: 'LOGIN_', members: ['client_id', 'client_secret'] },
  upstream: { prefix: 'UPSTREAM_', members: ['header', 'value'] },
  exchange: { prefix: 'EXCHANGE_', members: ['client_id', 'client_secret'] },
  signals: { prefix: 'SIGNALS_', members: ['authorization'] },
} as const satisfies Record<string, PurposeRow>

interface PurposeRow {
  readonly prefix: `${string}_`
  readonly members: readonly string[]
}

export type SecretPurpose = keyof typeof PURPOSES

export type SecretMembers<P extends SecretPurpose> = Readonly<
  Record<(typeof PURPOSES)[P]['members'][number], string>
>

/** For whom it is used, and the origin of the very url that it is sent to. */
export interface SecretUse {
  readonly tenant: string
  readonly origin: string
}

/** INVARIANT: fixed texts. Nothing of a secret is ever in one of them. */
export type SecretFault =
  | 'the name is not one of a secret for this purpose'
  | 'no secret has this name'
  | 'the secret is not JSON of the right form'
  | 'the secret is for another tenant'
  | 'the secret is for another origin'

export interface Secrets {
  read<P extends SecretPurpose>(
    purpose: P,
    name: string,
    use: SecretUse,
  ): Result<SecretMembers<P>, SecretFault>
}

/**
 * INVARIANT: whoever can write rows can name a secret, and gains nothing by it: it is read only for
 * the tenant and the origin that whoever deployed it wrote into it.
 */
export const createSecrets = (environment: object): Secrets => ({
  read(purpose, name, use) {
    const { prefix, members } = PURPOSES[purpose]
    if (!name.startsWith(prefix) || !/^[A-Z0-9_]+$/.test(name)) {
      return err('the name is not one of a secret for this purpose')
    }
    const text: unknown = Object.hasOwn(environment, name)
      ? environment[name as keyof typeof environment]
      : undefined
    if (typeof text !== 'string') return err('no secret has this name')
    const secret = readSecret(text, ['tenant', 'origin', ...members])
    if (secret === null) return err('the secret is not JSON of the right form')
    if (secret['tenant'] !== use.tenant) return err('the secret is for another tenant')
    if (secret['origin'] !== use.origin) return err('the secret is for another origin')
    return ok(Object.fromEntries(members.map((member) => [member, secret[member] ?? ''])) as never)
  },
})

/** Exactly these members, each a text that is not empty: a slip of the pen must not go unnoticed. */
function readSecret(
  text: string,
  names: readonly string[],
): Readonly<Record<string, string>> | null {
  const read = readObject(new TextEncoder().encode(text))
  if (!read.ok || Object.keys(read.value).length !== names.length) return null
  const secret: Record<string, string> = {}
  for (const name of names) {
    const value = read.value[name]
    if (typeof value !== 'string' || value === '') return null
    secret[name] = value
  }
  return secret
}
