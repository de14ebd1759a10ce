// The frame of every page. Server-rendered, without scripts; `html` escapes everything put in.
import { html } from 'hono/html'
import { STYLESHEET_PATH } from '../../page-addresses.ts'
import { inPlainLetters, shown } from '../shown.ts'

export type Html = ReturnType<typeof html>

/** Text of rows and of strangers: escaped, bounded, and unable to turn the text around it. */
export const name = (text: string, longest?: number): Html =>
  html`<bdi>${shown(text, longest)}</bdi>`

/** Long enough for the whole of every id and every name of a tool. */
const LONGEST_ID = 512

export const code = (text: string): Html => html`<code><bdi>${shown(text, LONGEST_ID)}</bdi></code>`

/** An id that a decision hangs on: letters that only look like others are told apart. */
export function id(text: string): Html {
  const whole = shown(text, LONGEST_ID)
  const plain = inPlainLetters(whole)
  return plain === null
    ? html`<code>${whole}</code>`
    : html`${code(text)} <span class="soft">(in plain letters <code>${plain}</code>)</span>`
}

export function layout(title: string, body: Html, status: Html | null = null): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${shown(title)}</title>
        <link rel="stylesheet" href="${STYLESHEET_PATH}" />
      </head>
      <body>
        <main>
          <h1>${name(title)}</h1>
          ${status === null ? '' : html`<p class="status" role="status">${status}</p>`} ${body}
        </main>
      </body>
    </html>`
}

const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Nothing runs on these pages, nobody may frame them, and nothing of them is kept. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': POLICY,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  // `no-referrer` would make browsers post forms with `Origin: null`.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

export async function pageResponse(
  page: Html,
  status = 200,
  cookies: readonly string[] = [],
): Promise<Response> {
  const headers = new Headers(HEADERS)
  for (const cookie of cookies) headers.append('set-cookie', cookie)
  return new Response(String(await page), { status, headers })
}

/** 303: the browser follows a form with a GET and repeats nothing (RFC 9700 §4.12). */
export function seeOther(location: string, cookies: readonly string[] = []): Response {
  const headers = new Headers({ location, 'cache-control': 'no-store' })
  headers.set('referrer-policy', 'no-referrer')
  for (const cookie of cookies) headers.append('set-cookie', cookie)
  return new Response(null, { status: 303, headers })
}
