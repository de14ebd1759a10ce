// When and how somebody logged in (OpenID Connect Core §3.1.2.1, RFC 9470 §4).

import { OAuthError } from './oauth-error.ts'

export interface Login {
  /** Epoch seconds. */
  authTime: number
  acr: string
  /** Of the login session: everything that it leads to carries it. */
  sid: string
}

/** What this server can do, weakest first. The page asks for neither: it is a demo. */
export const ACR_VALUES: readonly string[] = ['pwd', 'mfa']
const DEFAULT_ACR = 'pwd'

/** `prompt=none` stands for somebody who logged in this long ago and is not asked again. */
const EARLIER_LOGIN_S = 60 * 60

/** Somebody chose who to be on the page just now. `acr_values` come in order of preference. */
export function loginNow(acrValues: string | undefined): Login {
  const asked = (acrValues ?? '').split(' ').find((value) => ACR_VALUES.includes(value))
  return { authTime: nowSeconds(), acr: asked ?? DEFAULT_ACR, sid: crypto.randomUUID() }
}

export function loginBefore(maxAge: string | undefined, acrValues: string | undefined): Login {
  if (maxAge !== undefined && Number(maxAge) < EARLIER_LOGIN_S) {
    throw new OAuthError('login_required', 'the login is older than max_age')
  }
  if (acrValues !== undefined && !acrValues.split(' ').includes(DEFAULT_ACR)) {
    throw new OAuthError('login_required', 'the login was of another kind than acr_values')
  }
  return {
    authTime: nowSeconds() - EARLIER_LOGIN_S,
    acr: DEFAULT_ACR,
    sid: crypto.randomUUID(),
  }
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000)
