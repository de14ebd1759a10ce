// Pure. What lists a part of the catalogue: each row of it is asked about by the same policies.
import { ok, type Result } from '../../result.ts'
import type { Listing } from '../operation.ts'
import { BOTH, invalid, type Known, type MethodRow, type ParamsInvalid, type Rows } from './row.ts'

export const LISTINGS: Rows<Listing['method']> = {
  'tools/list': listing('tools/list'),
  'prompts/list': listing('prompts/list'),
  'resources/list': listing('resources/list'),
  'resources/templates/list': listing('resources/templates/list'),
  // An extension (SEP-2640).
  'skills/list': listing('skills/list'),
}

function listing<M extends Listing['method']>(method: M): MethodRow<M> {
  return {
    eras: BOTH,
    kind: 'request',
    params: ['cursor'],
    nameParam: null,
    needs: null,
    decided: 'up to scope; each row is shown only if it could be allowed',
    read: ({ params, base }: Known): Result<Listing & { readonly method: M }, ParamsInvalid> =>
      'cursor' in params && typeof params['cursor'] !== 'string'
        ? invalid('`cursor` must be text')
        : ok({ kind: 'listing', method, ...base }),
  }
}
