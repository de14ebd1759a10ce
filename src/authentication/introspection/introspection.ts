// Whether a token still holds, from the issuer itself (RFC 7662), and for one request only.

import { LATE, inTime } from '../../in-time.ts'
import type { JsonObject } from '../../mcp/value.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Secrets } from '../../secrets.ts'
import { Allowance } from '../../allowance.ts'
import type { Introspect } from '../context.ts'
import type { Issuer, IntrospectionRow } from '../issuer.ts'
import type { Fetch } from '../key-fetch.ts'
import type { KeySource } from '../keys.ts'
import { tokenInvalid, type AuthenticationRefusal } from '../refusal.ts'
import { readSpelling } from '../spelling.ts'
import { trustedUrl, type UrlRules } from '../url.ts'
import { readAnswer } from './answer.ts'
import { requestAnswer } from './request.ts'

/** From the question to the last byte of the answer. */
const TIMEOUT_MS = 2_000
/**
 * A flood of made-up opaque tokens costs an issuer no more questions than this, per isolate and
 * tenant. What its key has signed is counted apart: strangers must not take the place of holders.
 */
const QUESTIONS_PER_SECOND = 200
/** Nor does it cost the operator more lines in the log. */
const REPORTS_PER_SECOND = 20
/** Door one is passed again within a request when rows move, and a stream may stay open for hours. */
const MEMO_MS = 2_000
/** The longest opaque token that is worth a question. */
const MAX_TOKEN_LENGTH = 16_384

export interface IntrospectionParts {
  readonly secrets: Secrets
  readonly keys: KeySource
  readonly urls: UrlRules
  readonly fetch: Fetch
  readonly now: () => number
  /** Tells the operator why an issuer could not be asked. Fixed texts only. */
  readonly report: (issuer: string, detail: string) => void
  readonly timeoutMs?: number
}

/** One per isolate. */
export interface Introspection {
  /** For one request: the same question is asked once in it, and no other request hears the answer. */
  during(request: object): Introspect
}

type Reply = Result<JsonObject, AuthenticationRefusal>

interface Remembered {
  readonly reply: Reply
  readonly askedAt: number
}

/** INVARIANT: what is remembered dies with the object that stands for the request. */
export function createIntrospection(given: IntrospectionParts): Introspection {
  const reports = new Allowance(REPORTS_PER_SECOND)
  const parts: IntrospectionParts = {
    ...given,
    report: (issuer, detail) => {
      if (reports.take(given.now())) given.report(issuer, detail)
    },
  }
  const requests = new WeakMap<object, Map<string, Remembered>>()
  const allowances = new Map<string, Allowance>()

  const allowanceOf = (issuer: Issuer, row: IntrospectionRow, token: string): Allowance => {
    const name = JSON.stringify([issuer.tenant, row.url, readSpelling(token).ok])
    const known = allowances.get(name)
    if (known !== undefined) return known
    const allowance = new Allowance(QUESTIONS_PER_SECOND)
    // As many as there are rows, and rows are written by the tenants themselves: bounded all the same.
    if (allowances.size >= MAX_ALLOWANCES) allowances.clear()
    allowances.set(name, allowance)
    return allowance
  }

  return {
    during(request) {
      const memo = requests.get(request) ?? new Map<string, Remembered>()
      requests.set(request, memo)
      return async (token, issuer) => {
        const row = issuer.introspection
        if (row === null || token.length > MAX_TOKEN_LENGTH) return INACTIVE
        // Another row is another question.
        const key = JSON.stringify([issuer.tenant, issuer.url, row.url, row.secret, token])
        const known = memo.get(key)
        const askedAt = parts.now()
        if (known !== undefined && askedAt < known.askedAt + MEMO_MS) return known.reply
        const reply = allowanceOf(issuer, row, token).take(askedAt)
          ? await ask(token, issuer, row, parts)
          : unavailable(parts, issuer, 'too many questions within a second')
        memo.set(key, { reply, askedAt })
        return reply
      }
    },
  }
}

const MAX_ALLOWANCES = 512

const INACTIVE = tokenInvalid('inactive', 'the issuer says that the token does not hold')

/** INVARIANT: only an answer that says `"active": true` in full and in time lets a token pass. */
async function ask(
  token: string,
  issuer: Issuer,
  row: IntrospectionRow,
  parts: IntrospectionParts,
): Promise<Reply> {
  const url = trustedUrl(row.url, parts.urls)
  if (!url.ok) return unavailable(parts, issuer, url.error)
  const use = { tenant: issuer.tenant, origin: url.value.origin }
  const secret = parts.secrets.read('introspection', row.secret, use)
  if (!secret.ok) return unavailable(parts, issuer, secret.error)
  const { client_id: clientId, client_secret: clientSecret } = secret.value

  const abort = new AbortController()
  const question = { url: url.value, issuer, clientId, clientSecret, token }
  const work = async () => {
    const answer = await requestAnswer(question, parts.fetch, abort.signal)
    return answer.ok ? await readAnswer(answer.value, question, parts.keys) : answer
  }
  try {
    const answer = await inTime(work(), parts.timeoutMs ?? TIMEOUT_MS, LATE)
    if (answer === LATE) return unavailable(parts, issuer, 'no answer in time')
    if (!answer.ok) return unavailable(parts, issuer, answer.error)
    return answer.value['active'] === true ? ok(answer.value) : INACTIVE
  } finally {
    // Ends a fetch that listens; the clock above ended the wait for one that does not.
    abort.abort()
  }
}

function unavailable(parts: IntrospectionParts, issuer: Issuer, detail: string): Reply {
  parts.report(issuer.url, detail)
  return err({ at: 'authenticate', reason: 'introspection_unavailable' })
}
