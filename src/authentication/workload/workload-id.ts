// Pure. The name of a workload: a trust domain and a path in it (SPIFFE-ID, draft-ietf-wimse-identifier).

import type { JsonValue } from '../../mcp/value.ts'
import { isTrustDomain } from '../issuer.ts'

export type WorkloadScheme = 'spiffe' | 'wimse'

export interface WorkloadId {
  readonly id: string
  readonly scheme: WorkloadScheme
  /** Scheme and trust domain, as an issuer row names them. */
  readonly trustDomain: string
}

/** SPIFFE-ID §2.3. The grammar leaves ASCII only, so that characters are bytes. */
const MAX_LENGTH = 2048

const ID = /^((spiffe|wimse):\/\/[^/]+)\/(.+)$/

/**
 * One segment of a path, by scheme. SPIFFE-ID §2.2 has letters, digits, dots, dashes and underscores.
 * WIMSE leaves it to RFC 3986 §3.3; of its spellings only the normal one is taken (§6.2.2): escapes
 * in upper case, and none where the plain character means the same.
 */
const SEGMENT: Readonly<Record<WorkloadScheme, RegExp>> = {
  spiffe: /^[A-Za-z0-9._-]+$/,
  wimse: /^(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})+$/,
}

/** Escapes of characters that need none (RFC 3986 §2.3). */
const NEEDLESS_ESCAPE = /%(?:2[DE]|3[0-9]|[46][1-9A-F]|[57][0-9A]|5F|7E)/

/**
 * INVARIANT: two ids that pass are the same workload exactly if they are the same text. Nothing is
 * mended: another case, an escape, a dot segment or a slash at the end is another text, and a rule
 * that speaks of the one would not meet the other.
 *
 * A trust domain alone is its authority, not a workload (SPIFFE-ID §3.1), so a path is needed.
 */
export function readWorkloadId(value: JsonValue | undefined): WorkloadId | null {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return null
  const [, trustDomain = '', scheme, path = ''] = ID.exec(value) ?? []
  if (scheme !== 'spiffe' && scheme !== 'wimse') return null
  if (!isTrustDomain(trustDomain)) return null
  return path.split('/').every((segment) => isSegment(segment, scheme))
    ? { id: value, scheme, trustDomain }
    : null
}

const isSegment = (segment: string, scheme: WorkloadScheme): boolean =>
  segment !== '.' &&
  segment !== '..' &&
  SEGMENT[scheme].test(segment) &&
  !NEEDLESS_ESCAPE.test(segment)
