import type { Network } from '../pdp/evaluation.ts'

/**
 * Where a request came from. Cloudflare itself says so: it sets `CF-Connecting-IP` and overwrites
 * whatever a client sends under that name, and `cf` is no header at all.
 */
export function networkOf(request: Request): Network {
  const { cf } = request
  const country: unknown = cf?.['country']
  const asn: unknown = cf?.['asn']
  return {
    ip: request.headers.get('cf-connecting-ip'),
    country: typeof country === 'string' ? country : null,
    asn: typeof asn === 'number' ? asn : null,
  }
}
