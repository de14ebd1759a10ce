import { html } from 'hono/html'
import { loginPath, type Wanted } from '../../page-addresses.ts'
import { PAGE_REFUSALS, type PageRefusal } from '../refusal.ts'
import { shownHost } from '../shown.ts'
import { layout, name, type Html } from './layout.ts'

/** Where a person can go on. */
export interface WayBack {
  readonly path: string
  readonly words: string
}

/** A "no", and the way back where there is one. */
export function refusalPage(refusal: PageRefusal, back: WayBack | null): Html {
  const { title, sentence } = PAGE_REFUSALS[refusal]
  return layout(
    title,
    html`<p>${sentence}</p>
      ${
        back === null
          ? ''
          : html`<p class="actions">
              <a class="button quiet" href="${back.path}">${back.words}</a>
            </p>`
      }`,
  )
}

export interface SignInPage {
  readonly server: string
  readonly title: string
  readonly issuers: readonly string[]
  readonly wanted: Wanted | null
}

export function signInPage({ server, title, issuers, wanted }: SignInPage): Html {
  const ways = issuers.map(
    (issuer) =>
      html`<p>
        <a class="button" href="${loginPath(server, issuer, wanted)}"
          >Sign in at ${name(shownHost(new URL(issuer).host))}</a
        >
      </p>`,
  )
  return layout(
    'Your consents',
    html`<p>
        Here you decide which programs may act for you at <strong>${name(title)}</strong>. Sign in
        to see what you allowed and to change it.
      </p>
      ${ways}`,
  )
}
