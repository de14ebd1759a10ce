// Pure. Which addresses out of SQL may be called at all: nothing inside, nothing of our own.

import { isLoopbackHost } from '../config.ts'
import { err, ok, type Result } from '../result.ts'

export interface UrlRules {
  /** A developer's machine: plain http, and loopback hosts. */
  readonly allowLoopback: boolean
  /** `host[:port]` of each public origin: calling ourselves would be a loop, or a way around a door. */
  readonly ownHosts: ReadonlySet<string>
}

/** Characters that URL parsers drop or read differently: two readers must not see two hosts. */
const AMBIGUOUS = /[\s\p{Cc}\\#]/u
const WITH_USERINFO = /^[a-z]+:\/\/[^/?]*@/i

/** Names that never mean a public host (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`). */
const SPECIAL_NAME = /(?:^|\.)(?:localhost|local|internal|home\.arpa|test|invalid|onion)$/

export function trustedUrl(text: string, rules: UrlRules): Result<URL, string> {
  // INVARIANT: a refusal names the host at most: what precedes or follows it may be a credential.
  if (AMBIGUOUS.test(text)) return err('a url has a fragment, a blank or a backslash')
  if (!/^https?:\/\/[^/?]/i.test(text) || !URL.canParse(text)) return err('not an http url')
  if (WITH_USERINFO.test(text)) return err('a url carries user information')
  const url = new URL(text)
  // `example.com.` is `example.com` to the network and another name to every comparison.
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1)
  const host = url.hostname
  if (host === '' || host.endsWith('.')) return err('a url has a malformed host')

  const loopback = isLoopbackHost(host)
  if (isOwnHost(url, loopback, rules.ownHosts)) return err(`host \`${url.host}\` is our own`)
  if (loopback) {
    return rules.allowLoopback ? ok(url) : err(`host \`${host}\` is loopback`)
  }
  if (url.protocol !== 'https:') return err(`host \`${host}\` must be called over https`)
  if (!isPublicHost(host)) return err(`host \`${host}\` is not a public one`)
  return ok(url)
}

/**
 * A public host is ours on every port. On one developer's machine only the port tells us from the
 * demo servers, and every loopback name leads to the same place.
 */
function isOwnHost(url: URL, loopback: boolean, ownHosts: ReadonlySet<string>): boolean {
  for (const host of ownHosts) {
    const own = new URL(`${url.protocol}//${host}`)
    if (
      loopback
        ? isLoopbackHost(own.hostname) && own.port === url.port
        : own.hostname === url.hostname
    ) {
      return true
    }
  }
  return false
}

function isPublicHost(host: string): boolean {
  if (host.startsWith('[')) return isPublicIpv6(host.slice(1, -1))
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return isPublicIpv4(host)
  return host.includes('.') && !SPECIAL_NAME.test(host)
}

/** IANA's special-purpose IPv4 registry (RFC 6890), multicast and the reserved top: [base, bits]. */
const CLOSED_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]

function isPublicIpv4(address: string): boolean {
  const number = ipv4Number(address)
  return !CLOSED_IPV4.some(([base, bits]) => (number ^ ipv4Number(base)) >>> (32 - bits) === 0)
}

const ipv4Number = (address: string): number =>
  address.split('.').reduce((number, part) => (number << 8) | Number(part), 0)

/**
 * Only global unicast (2000::/3), without its special parts. Whatever wraps an IPv4 address
 * (`::ffff:`, `64:ff9b::`, 6to4, Teredo) is outside, so none of them can smuggle a private one in.
 */
function isPublicIpv6(address: string): boolean {
  const [first = '', second = ''] = address.split(':')
  const head = Number.parseInt(first, 16)
  const next = second === '' ? 0 : Number.parseInt(second, 16)
  if (!(head >= 0x2000 && head <= 0x3fff)) return false
  if (head === 0x2001 && (next < 0x200 || next === 0xdb8)) return false
  return head !== 0x2002 && !(head === 0x3fff && next < 0x1000)
}
