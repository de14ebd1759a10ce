/**
 * The deployment's own settings: read once, refused loudly. Nothing here is a secret and nothing
 * here is policy; policy lives in D1.
 */
export interface Config {
  /** Canonical origin first, then its aliases; no trailing slash. */
  readonly publicOrigins: readonly [string, ...string[]]
  /** `host[:port]` of each public origin. */
  readonly hosts: ReadonlySet<string>
  /** Browser origins that may call. */
  readonly allowedOrigins: ReadonlySet<string>
  /** True only on a developer's machine: every public origin is loopback. */
  readonly local: boolean
  /** Loopback issuers and upstreams are accepted. Never true behind a public origin. */
  readonly allowLoopback: boolean
  /** Why no call may be served with these settings, or null. Shown by `/healthz`. */
  readonly unsafe: string | null
}

export class ConfigError extends Error {
  readonly code = 'config_invalid'
}

/** `ALLOW_LOOPBACK_UPSTREAMS` is absent from the deployable configuration: only the local one names it. */
export interface ConfigVars {
  readonly PUBLIC_ORIGIN: string
  readonly PUBLIC_ORIGIN_ALIASES: string
  readonly ALLOWED_ORIGINS: string
  readonly ALLOW_LOOPBACK_UPSTREAMS?: string
}

export function parseConfig(vars: ConfigVars): Config {
  const origins = [vars.PUBLIC_ORIGIN, ...words(vars.PUBLIC_ORIGIN_ALIASES)].map(parseOrigin)
  const [canonical, ...aliases] = origins
  if (canonical === undefined) throw new ConfigError('PUBLIC_ORIGIN is missing')
  const local = origins.every((origin) => isLoopbackHost(origin.hostname))
  const allowLoopback = vars.ALLOW_LOOPBACK_UPSTREAMS === 'true'
  return {
    publicOrigins: [canonical.origin, ...aliases.map((alias) => alias.origin)],
    hosts: new Set(origins.map((origin) => origin.host)),
    allowedOrigins: new Set([
      ...origins.map((origin) => origin.origin),
      ...words(vars.ALLOWED_ORIGINS).map((origin) => parseOrigin(origin).origin),
    ]),
    local,
    allowLoopback,
    unsafe:
      allowLoopback && !local
        ? 'the switch for loopback upstreams is set, but `PUBLIC_ORIGIN` is not loopback'
        : null,
  }
}

function parseOrigin(text: string): URL {
  if (!URL.canParse(text)) throw new ConfigError(`not an origin: \`${text}\``)
  const url = new URL(text)
  if (url.origin !== text) {
    throw new ConfigError(`not an origin (no path, no trailing slash): \`${text}\``)
  }
  if (url.protocol !== 'https:' && !isLoopbackHost(url.hostname)) {
    throw new ConfigError(`a public origin must be https: \`${text}\``)
  }
  return url
}

/** RFC 8707 resource identifier of a server: the URL that clients call. */
export const resourceOf = (origin: string, server: string): string => `${origin}/${server}/mcp`

const words = (text: string | undefined): string[] =>
  (text ?? '').split(' ').filter((word) => word !== '')

/**
 * `hostname` as WHATWG URL gives it: every spelling of an IPv4 address is already canonical there
 * (`127.1`, `0x7f000001`), so a plain comparison is enough.
 */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  )
}

/** Scheme, host and port: plain http at an https origin would carry tokens in the clear. */
export const isOurs = (request: Request, config: Config): boolean =>
  config.publicOrigins.includes(new URL(request.url).origin)
