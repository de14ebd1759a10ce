// What an introspection endpoint answered: plain JSON (RFC 7662 §2.2) or a signed JWT (RFC 9701).

import { processIntrospectionResponse } from 'oauth4webapi'
import { readObject } from '../../exact-json.ts'
import { isJsonObject, type JsonObject } from '../../mcp/value.ts'
import { err, ok, type Result } from '../../result.ts'
import { isAlgorithm } from '../issuer.ts'
import { isSigned, readJws } from '../jws.ts'
import type { KeySource } from '../keys.ts'
import { readSegment } from '../payload.ts'
import { isIdentifier } from '../text.ts'
import { serverOf, type Answer, type Question } from './request.ts'

type Reader = (
  answer: Answer,
  question: Question,
  keys: KeySource,
) => Promise<Result<JsonObject, string>>

/** One row per form. A page of HTML with status 200 is an outage, not a statement about a token. */
const FORMS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['application/json', async ({ bytes }) => readObject(bytes)],
  ['application/token-introspection+jwt', readSigned],
])

/**
 * INVARIANT: the members come from our strict reading. The library reads the same bytes and says
 * whether they are an answer at all; of two members with one name it would take the last.
 */
export async function readAnswer(
  answer: Answer,
  question: Question,
  keys: KeySource,
): Promise<Result<JsonObject, string>> {
  const read = await FORMS.get(answer.contentType)?.(answer, question, keys)
  if (read === undefined) return err('the answer was of another media type')
  if (!read.ok) return read
  return (await isConformant(answer, question)) ? read : err('the answer was no introspection')
}

/** Whether `active` is a boolean; of a signed one also `typ`, `iss`, `aud` and its times. */
async function isConformant({ contentType, bytes }: Answer, question: Question): Promise<boolean> {
  const response = new Response(bytes, { headers: { 'content-type': contentType } })
  try {
    await processIntrospectionResponse(
      serverOf(question),
      { client_id: question.clientId },
      response,
    )
    return true
  } catch {
    return false
  }
}

/** RFC 9701 §5. The library does not look at the signature unless it fetches the keys itself. */
async function readSigned(
  { bytes }: Answer,
  { issuer }: Question,
  keys: KeySource,
): Promise<Result<JsonObject, string>> {
  const jws = readJws(new TextDecoder().decode(bytes))
  if (!jws.ok) return err('the signed answer is no JWS')
  const { alg, kid } = jws.value.header
  if (!isAlgorithm(alg) || !issuer.algorithms.includes(alg) || !isIdentifier(kid)) {
    return err('the signed answer names no algorithm and key of the issuer')
  }
  const key = await keys.find(issuer, kid, alg)
  if (typeof key === 'string') return err('the key of the signed answer cannot be had')
  if (!(await isSigned(jws.value, key, alg))) return err('the signed answer does not verify')
  const payload = readSegment(jws.value.payload)
  if (!payload.ok) return err('the signed answer is not strict JSON')
  const members = payload.value['token_introspection']
  return isJsonObject(members) ? ok(members) : err('the signed answer was no introspection')
}
