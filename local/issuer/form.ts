import { OAuthError } from './oauth-error.ts'

export async function readForm(request: Request): Promise<URLSearchParams> {
  const form = new URLSearchParams(await request.text())
  if (new Set(form.keys()).size !== form.size) {
    throw new OAuthError('invalid_request', 'a parameter was sent twice')
  }
  return form
}
