// What a token says besides who acts and which scopes, as a case or an option gives it.
import { readAuthorizationDetails } from '../../authentication/authorization-details.ts'
import type { JsonObject, JsonValue } from '../../mcp/value.ts'
import type { Credential } from '../../question/question.ts'
import { Mistake } from '../mistake.ts'
import { Fields } from './fields.ts'

/** Absent from a call: a token that says nothing of the kind. */
export type TokenWords = Pick<
  Credential,
  'sessionId' | 'keyId' | 'bindings' | 'authorizationDetails' | 'transaction'
>

/** As a case names them. Rows are asked for the rest: whether a client acts for users, for one. */
export const TOKEN_FIELDS = [
  'authorization_details',
  'bindings',
  'token_session',
  'issuer_key',
  'txn',
] as const

const KINDS = ['dpop', 'certificate', 'workload'] as const

export function readTokenWords(place: string, given: JsonObject): TokenWords {
  const one = new Fields(place, given)
  const details = readAuthorizationDetails(given['authorization_details'])
  if (!details.ok) throw new Mistake(`${place}: ${details.error}`)
  return {
    sessionId: one.textOrNull('token_session'),
    keyId: one.textOrNull('issuer_key'),
    transaction: one.textOrNull('txn'),
    bindings: one.has('bindings')
      ? one.list('bindings').map((value) => readBinding(`${place}: bindings`, value))
      : [],
    authorizationDetails: details.value,
  }
}

/** A workload's key beside somebody's token makes that token no less stealable. */
export const isBound = ({ bindings }: TokenWords): boolean =>
  bindings.some(({ kind }) => kind !== 'workload')

function readBinding(place: string, value: JsonValue): TokenWords['bindings'][number] {
  const binding = new Fields(place, value)
  binding.only(['kind', 'thumbprint'])
  return { kind: binding.oneOf('kind', KINDS), thumbprint: binding.text('thumbprint') }
}
