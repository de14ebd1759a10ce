import { LocalProblem } from './problem.ts'
import type { StackRecord } from './state.ts'

export interface Page {
  readonly status: number
  readonly text: string
  readonly location: string | null
}

/** A person at Sallyport's own pages, without a browser: it keeps cookies and follows forms. */
export class PageVisitor {
  readonly #stack: StackRecord
  readonly #cookies = new Map<string, string>()

  constructor(stack: StackRecord) {
    this.#stack = stack
  }

  get(path: string): Promise<Page> {
    return this.#request(path, {})
  }

  /** Sends a form as its page has it, with what the person chose. */
  async submit(page: Page, action: string, chosen: Record<string, string> = {}): Promise<Page> {
    const form = page.text
      .split('<form')
      .slice(1)
      .find((text) => text.includes(`action="${action}"`))
    if (form === undefined) throw new LocalProblem(`the page has no form for \`${action}\``)
    const fields = new URLSearchParams()
    for (const [tag] of (form.split('</form>')[0] ?? '').matchAll(/<input type="hidden"[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(tag)?.[1] ?? ''
      fields.set(name, unescaped(/value="([^"]*)"/.exec(tag)?.[1] ?? ''))
    }
    for (const [name, value] of Object.entries(chosen)) fields.set(name, value)
    return this.#request(action, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: this.#stack.sallyport,
      },
      body: fields.toString(),
    })
  }

  /** Over the demo issuer, which knows this person already and asks nothing. */
  async signIn(server: string, user: string): Promise<void> {
    const query = new URLSearchParams({ issuer: this.#stack.issuer })
    const out = await this.get(`/consents/${server}/login?${query}`)
    const issuer = new URL(whereTo(out))
    issuer.searchParams.set('prompt', 'none')
    issuer.searchParams.set('login_hint', user)
    const answer = await fetch(issuer, { redirect: 'manual' })
    const back = new URL(answer.headers.get('location') ?? '', this.#stack.issuer)
    await answer.body?.cancel()
    whereTo(await this.get(back.pathname + back.search))
  }

  async #request(path: string, init: RequestInit): Promise<Page> {
    const headers = new Headers(init.headers)
    if (this.#cookies.size > 0) {
      headers.set('cookie', [...this.#cookies].map((pair) => pair.join('=')).join('; '))
    }
    const url = new URL(path, this.#stack.sallyport)
    const answer = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      const at = pair.indexOf('=')
      this.#cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    const { status } = answer
    return { status, text: await answer.text(), location: answer.headers.get('location') }
  }
}

function whereTo({ status, location, text }: Page): string {
  if (location !== null) return location
  const title = /<title>([^<]*)/.exec(text)?.[1] ?? ''
  throw new LocalProblem(`the page answered ${status}: ${title}`)
}

const unescaped = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
