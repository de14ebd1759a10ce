// The one place that a call asks what it carries, and that Sallyport asks for itself.
import { readJson } from '../../mcp/json.ts'
import type { JsonValue } from '../../mcp/value.ts'
import { err, ok, type Result } from '../../result.ts'
import { Allowance } from '../../allowance.ts'
import type { CompiledServer } from '../../storage/compiled.ts'
import type { Carried } from './carried.ts'
import { carry, type CarryParts, type CredentialCall } from './carry.ts'
import { bearer, secretHeader } from './header.ts'
import { readSealingKeys, readSigningKeys, type OwnKeyTexts } from './own-keys.ts'
import { signOwnToken } from './signed.ts'

export interface CredentialRefusal {
  readonly at: 'decide'
  readonly reason: 'credential_unavailable'
}

export interface UpstreamCredentials extends Pick<CarryParts, 'signing' | 'sealing' | 'origin'> {
  /**
   * INVARIANT: asked before a call is admitted. What cannot be carried is not sent, and a call that is
   * not sent was never allowed.
   */
  forCall(call: CredentialCall, server: CompiledServer): Promise<Result<Carried, CredentialRefusal>>
  /** `fetch` for what Sallyport asks a server itself. Nobody's token is exchanged for that. */
  ownFetch(tenant: string, server: CompiledServer): typeof fetch
}

export interface UpstreamCredentialsParts extends Omit<CarryParts, 'signing' | 'sealing'> {
  readonly own: OwnKeyTexts
  /** Tells the operator why a call could not go. Fixed texts only. */
  readonly report: (server: string, detail: string) => void
}

const REPORTS_PER_SECOND = 20

/** One per isolate. */
export function createUpstreamCredentials({
  own,
  report,
  ...given
}: UpstreamCredentialsParts): UpstreamCredentials {
  const reports = new Allowance(REPORTS_PER_SECOND)
  const tell = (server: string, detail: string): void => {
    if (reports.take(given.now())) report(server, detail)
  }
  // Keys are read once. A failure is a slip of the pen in a secret, and a new secret is a new isolate.
  const parts: CarryParts = {
    ...given,
    signing: once(() => readSigningKeys(own)),
    sealing: once(() => readSealingKeys(own)),
  }
  return {
    origin: parts.origin,
    signing: parts.signing,
    sealing: parts.sealing,
    async forCall(call, server) {
      const carried = await carry(server.credential, call, parts)
      if (carried.ok) return carried
      tell(server.facts.name, carried.error)
      return err({ at: 'decide', reason: 'credential_unavailable' })
    },
    ownFetch: (tenant, server) => async (input, init) => {
      const headers = new Headers(init?.headers)
      const added = await ownHeaders(tenant, server, messageIn(init), parts)
      if (!added.ok) {
        tell(server.facts.name, added.error)
        // As a call that has no credential: what cannot be had is not sent without it.
        throw new Error('its credential cannot be had')
      }
      for (const [name, value] of Object.entries(added.value)) headers.set(name, value)
      return fetch(input, { ...init, headers })
    },
  }
}

/** INVARIANT: isolates share no promise between requests: it is made anew until one has ended. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: { readonly value: T } | null = null
  return async () => {
    made ??= { value: await make() }
    return made.value
  }
}

async function ownHeaders(
  tenant: string,
  { credential, url }: CompiledServer,
  message: JsonValue,
  parts: CarryParts,
): Promise<Result<Readonly<Record<string, string>>, string>> {
  switch (credential.kind) {
    // There is nobody whose token could be exchanged: such a server shows its tools to us without one.
    case 'exchange':
    case 'none':
      return ok({})
    case 'broken':
      return err(credential.problem)
    case 'secret':
      return secretHeader(parts.secrets, credential.secret, tenant, url)
    case 'signed': {
      const signing = await parts.signing()
      if (!signing.ok) return err(`SIGNING_KEYS: ${signing.error}`)
      const token = await signOwnToken(
        {
          issuer: parts.origin,
          tenant,
          audience: credential.audience,
          message,
          now: parts.now(),
        },
        signing.value,
      )
      return ok(bearer(token))
    }
  }
}

/** Written by ourselves a moment ago. What has no body (DELETE) is known by its HTTP method alone. */
function messageIn({ method = 'GET', body }: RequestInit = {}): JsonValue {
  if (method !== 'POST') return { method }
  const read = typeof body === 'string' ? readJson(body) : null
  return read?.ok === true ? read.value : null
}
