// Sallyport as a client of an MCP server, in either era (MCP 2026-07-28, basic/versioning).
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import type { Era } from '../mcp/refusal.ts'
import { META, speaks, VERSIONS } from '../mcp/versions.ts'
import { err, ok, type Result } from '../result.ts'
import { readAnswer, type Allowance, type Answer } from './answer.ts'

export interface Peer {
  readonly endpoint: URL
  readonly fetch: typeof fetch
  /** Sent along with every message: a credential, usually. */
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly allowance: Allowance
}

const SELF = { name: 'sallyport', version: '1' }
const [MODERN] = VERSIONS.modern
const [LEGACY] = VERSIONS.legacy

/** What it came to: an answer, or that the server took no notice of the message (HTTP 4xx). */
export type Reply = Answer | { readonly kind: 'declined'; readonly status: number }

export class Connection {
  readonly #peer: Peer
  #era: Era = 'modern'
  #version: string = MODERN
  #session: string | null = null
  #lastId = 0
  #declared: JsonValue | undefined = undefined

  constructor(peer: Peer) {
    this.#peer = peer
  }

  /**
   * The modern question first; whoever does not know it is legacy. Refused credentials, redirects
   * and failures of the server say nothing about its era, so they end it (as SDK v2 clients do).
   * `era`: it is known, and matters: what was made in one is not found in the other.
   */
  async open(era: Era = 'modern'): Promise<Result<null, string>> {
    if (era === 'legacy') return this.#shakeHands()
    const discovered = await this.request('server/discover', {})
    if (!discovered.ok) return discovered
    if (discovered.value.kind === 'result') {
      const { supportedVersions } = discovered.value.result
      this.#declared = discovered.value.result['capabilities']
      if (Array.isArray(supportedVersions) && supportedVersions.includes(MODERN)) return ok(null)
    }
    return this.#shakeHands()
  }

  /** Whether the server declares a capability; null: none is needed. Opened before. */
  offers(capability: string | null): boolean {
    if (capability === null) return true
    return isJsonObject(this.#declared) && isJsonObject(this.#declared[capability])
  }

  /** Opened before. */
  async ask(method: string, params: JsonObject): Promise<Result<JsonObject, string>> {
    const reply = await this.request(method, params)
    if (!reply.ok) return reply
    switch (reply.value.kind) {
      case 'declined':
        return err(`\`${method}\` was answered with HTTP ${reply.value.status}`)
      case 'error':
        return err(`\`${method}\` was answered with error ${reply.value.code}`)
      case 'result': {
        const { result } = reply.value
        // Older servers leave it out; any other kind is no result yet, or nobody knows what.
        const complete = (result['resultType'] ?? 'complete') === 'complete'
        return complete ? ok(result) : err(`\`${method}\` was not answered completely`)
      }
    }
  }

  /** A legacy session is given back (MCP 2025-11-25, basic/transports). Nobody waits for success. */
  async close(signal: AbortSignal): Promise<void> {
    if (this.#session === null) return
    const headers = this.#headers('')
    headers.delete('content-type')
    this.#session = null
    try {
      const response = await this.#fetch({ method: 'DELETE', headers, redirect: 'manual', signal })
      await response.body?.cancel()
    } catch {
      // The server forgets it in its own time.
    }
  }

  async #shakeHands(): Promise<Result<null, string>> {
    this.#era = 'legacy'
    this.#version = ''
    const welcome = await this.ask('initialize', {
      protocolVersion: LEGACY,
      capabilities: {},
      clientInfo: SELF,
    })
    if (!welcome.ok) return welcome
    const { protocolVersion: version } = welcome.value
    if (typeof version !== 'string' || !speaks('legacy', version)) {
      return err('it speaks no version of the protocol that is enforced here')
    }
    this.#version = version
    this.#declared = welcome.value['capabilities']
    const accepted = await this.#post({ jsonrpc: '2.0', method: 'notifications/initialized' })
    if (!accepted.ok) return accepted
    abandon(accepted.value)
    return accepted.value.ok
      ? ok(null)
      : err(`\`notifications/initialized\` was answered with HTTP ${accepted.value.status}`)
  }

  /** As it was answered, for who has to know how it was declined. Opened before. */
  async request(method: string, params: JsonObject): Promise<Result<Reply, string>> {
    this.#lastId += 1
    const id = this.#lastId
    const sent = { jsonrpc: '2.0', id, method, params: this.#enveloped(params) }
    const response = await this.#post(sent, method)
    if (!response.ok) return response
    const { status } = response.value
    const fault = faultOf(response.value)
    if (fault !== null || status !== 200) abandon(response.value)
    if (fault !== null) return err(fault)
    if (status !== 200) return ok({ kind: 'declined', status })
    if (method === 'initialize') this.#session = sessionIn(response.value)
    return readAnswer(response.value, id, this.#peer.allowance)
  }

  #enveloped(params: JsonObject): JsonObject {
    if (this.#era === 'legacy') return params
    const _meta = {
      [META.protocolVersion]: this.#version,
      [META.clientCapabilities]: {},
      'io.modelcontextprotocol/clientInfo': SELF,
    }
    return { ...params, _meta }
  }

  async #post(message: JsonValue, method = ''): Promise<Result<Response, string>> {
    try {
      const response = await this.#fetch({
        method: 'POST',
        headers: this.#headers(method),
        body: JSON.stringify(message),
        redirect: 'manual',
        signal: this.#peer.signal,
      })
      return ok(response)
    } catch (error) {
      return err(`it could not be reached${causeOf(error)}`)
    }
  }

  /** Called as a plain function: workerd's own `fetch` refuses to be a method of something else. */
  #fetch(init: RequestInit): Promise<Response> {
    const send = this.#peer.fetch
    return send(this.#peer.endpoint, init)
  }

  #headers(method: string): Headers {
    const headers = new Headers(this.#peer.headers)
    headers.set('content-type', 'application/json')
    headers.set('accept', 'application/json, text/event-stream')
    // What is compressed has no honest length.
    headers.set('accept-encoding', 'identity')
    if (this.#version !== '') headers.set('mcp-protocol-version', this.#version)
    if (this.#era === 'modern' && method !== '') headers.set('mcp-method', method)
    if (this.#session !== null) headers.set('mcp-session-id', this.#session)
    return headers
  }
}

/** What says nothing about the message itself; null where the answer may be read. */
function faultOf(response: Response): string | null {
  const { status } = response
  if (status >= 300 && status < 400) {
    return 'it redirects, and redirects are not followed: give the address that it leads to'
  }
  if (status === 401 || status === 403 || status === 407) {
    return `it refuses the credential, or the want of one (HTTP ${status})`
  }
  return status >= 500 ? `it fails (HTTP ${status})` : null
}

/** Visible ASCII (MCP 2025-11-25, basic/transports), and with an end: it is sent back each time. */
function sessionIn(response: Response): string | null {
  const id = response.headers.get('mcp-session-id')
  return id !== null && /^[\x21-\x7e]{1,1024}$/.test(id) ? id : null
}

/** The name of a failure, and never its message: that may repeat a header. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : ''
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? ` (${code})` : ''
}

function abandon(response: Response): void {
  response.body?.cancel().catch(() => undefined)
}
