// Whether a token's own status list still calls it valid. Never the only signal: a list is as old as
// its `ttl` allows.
import type { JsonObject } from '../../mcp/value.ts'
import { err, ok, type Result } from '../../result.ts'
import type { AuthenticationContext } from '../context.ts'
import type { Issuer } from '../issuer.ts'
import { tokenInvalid, type AuthenticationRefusal } from '../refusal.ts'
import { isAllowedUri, readReference } from './list.ts'

/**
 * Asked last, of a token that is good in every other way. Where the issuer's row allows no lists, a
 * reference to one means nothing here.
 */
export async function listedAsValid(
  payload: JsonObject,
  issuer: Issuer,
  { statuses }: Pick<AuthenticationContext, 'statuses'>,
): Promise<Result<true, AuthenticationRefusal>> {
  const allowed = issuer.statusList ?? null
  if (allowed === null) return ok(true)
  const reference = readReference(payload)
  if (!reference.ok) return tokenInvalid('claim', '`status` is not a reference to a status list')
  if (reference.value === null) return ok(true)
  const { uri, index } = reference.value
  if (!isAllowedUri(uri, allowed)) {
    return tokenInvalid('claim', '`status` names a list that the issuer may not name')
  }
  const status = (await statuses?.status(issuer, uri, index)) ?? null
  if (statuses === undefined || status === 'unavailable') {
    return err({ at: 'authenticate', reason: 'status_list_unavailable' })
  }
  switch (status) {
    case 'valid':
      return ok(true)
    case null:
      return tokenInvalid('claim', '`status` names an index outside its list')
    case 'invalid':
    case 'suspended':
    case 'unknown':
      return tokenInvalid('inactive', 'the status list says that the token does not hold')
  }
}
