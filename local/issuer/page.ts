// The consent page. Server-rendered, without scripts; `html` escapes everything that is put in.

import { html } from 'hono/html'
import { PEOPLE } from './clients.ts'

export interface ConsentPage {
  clientId: string
  clientName: string
  redirectUri: string
  resource: string
  scopes: readonly string[]
  /** The request as it came, posted back with the choice and then validated once more. */
  parameters: Readonly<Record<string, string>>
}

export function consentPage(page: ConsentPage) {
  const fields = Object.entries(page.parameters).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  )
  const people = PEOPLE.map(
    ({ id, name }, index) =>
      html`<label>
        <input type="radio" name="user" value="${id}" ${index === 0 ? 'checked' : ''} /> ${name}
      </label>`,
  )
  return document(
    'Sign in to the demo issuer',
    html`<p>
        <strong>${page.clientName}</strong> (<code>${page.clientId}</code>) asks for access. The
        name is what the client says of itself; you are sent back to
        <strong>${redirectTarget(page.redirectUri)}</strong>.
      </p>
      <dl>
        <dt>For</dt>
        <dd><code>${page.resource}</code></dd>
        <dt>Scopes</dt>
        <dd>${page.scopes.map((scope) => html`<code>${scope}</code> `)}</dd>
      </dl>
      <form method="post" action="/authorize">
        ${fields}
        <fieldset>
          <legend>Continue as</legend>
          ${people}
        </fieldset>
        <button name="decision" value="allow">Allow</button>
        <button name="decision" value="deny">Deny</button>
      </form>`,
  )
}

/** RFC 6749 §4.1.2.1: while client or redirect URI are in doubt, the error is shown and goes nowhere. */
export function errorPage(message: string) {
  return document('This request cannot be answered', html`<p>${message}</p>`)
}

/**
 * Browsers apply `form-action` to the redirect that follows a post as well, so the place that the
 * answer goes to is named.
 */
export function contentSecurityPolicy(redirectUri?: string): string {
  const target = redirectUri === undefined ? '' : ` ${redirectSource(redirectUri)}`
  return [
    `default-src 'none'`,
    `style-src 'self'`,
    `form-action 'self'${target}`,
    `base-uri 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ')
}

function redirectTarget(redirectUri: string): string {
  const { host, protocol } = new URL(redirectUri)
  return host === '' ? protocol : host
}

function redirectSource(redirectUri: string): string {
  const { origin, protocol } = new URL(redirectUri)
  return origin === 'null' ? protocol : origin
}

export const STYLESHEET = `
body { font: 1rem/1.5 system-ui; max-width: 34rem; margin: 3rem auto; padding: 0 1rem }
label { display: block }
button { margin: 1rem 0.5rem 0 0 }
`

function document(title: string, body: ReturnType<typeof html>) {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <link rel="stylesheet" href="/page.css" />
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`
}
