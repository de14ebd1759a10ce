import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callTool } from '../../local/mcp-client.ts'
import { startTestStack, type TestStack } from '../support/node/stack.ts'

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const isThere = existsSync(CHROMIUM)
/** Where pictures of the pages go; nowhere unless it is asked for. */
const PICTURES = process.env['PAGE_PICTURES']

if (!isThere) {
  console.warn(`NOT RUN: the console in a real browser, because ${CHROMIUM} is not there`)
}

const SIZES = [
  ['phone', 375, 800],
  ['desk', 1200, 900],
] as const

const CAROL = 'carol@acme.example'
const AUD = 'a'.repeat(64)

/** What stands in front of the pages in production: it signs a document for each request. */
async function startAccess() {
  const keys = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'access-1', alg: 'RS256', use: 'sig' }
  const server: Server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ keys: [jwk] }))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const now = Math.floor(Date.now() / 1000)
  const document = await new SignJWT({ email: CAROL, type: 'app' })
    .setProtectedHeader({ alg: 'RS256', kid: 'access-1', typ: 'JWT' })
    .setIssuer(url)
    .setAudience(AUD)
    .setSubject('7335d417-61da-459d-899c-0a01c76a2f94')
    .setIssuedAt(now)
    .setExpirationTime(now + 3600)
    .sign(keys.privateKey)
  return { url, document, stop: () => server.close() }
}

describe.skipIf(!isThere)('the console, in a real browser', () => {
  let stack: TestStack
  let browser: Browser
  let access: Awaited<ReturnType<typeof startAccess>>

  beforeAll(async () => {
    stack = await startTestStack()
    access = await startAccess()
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    await stack.query(
      `INSERT INTO issuers (tenant, url, jwks_uri, algorithms, kind, audience)
       VALUES ('acme', '${access.url}', '${access.url}/certs', '["RS256"]', 'access', '${AUD}')`,
    )
    await stack.query(
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role)
       VALUES ('acme', '${access.url}', 'user', '${CAROL}', 'administrator')`,
    )
    await stack.query(
      `INSERT INTO revocations (tenant, kind, id, issuer, source, issued_before, reason)
       SELECT 'acme', 'subject', 'bob', url, 'hr/account', NULL, 'account disabled' FROM issuers
       WHERE tenant = 'acme' AND demo = 1`,
    )
  })
  afterAll(async () => {
    await browser.close()
    access.stop()
    await stack.stop()
  })

  const nextCall = async () => {
    const token = await stack.token({ sub: 'alice', client: 'acme-agent' })
    const { decision, reason } = await callTool({
      endpoint: stack.endpoint().href,
      token,
      tool: 'echo',
      args: { text: 'x' },
    })
    return decision === 'allow' ? decision : reason
  }

  const picture = async (page: Page, name: string) => {
    if (PICTURES === undefined) return
    await mkdir(PICTURES, { recursive: true })
    for (const [size, width, height] of SIZES) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height })
        await page.emulateMedia({ colorScheme })
        const path = join(PICTURES, `${name}-${size}-${colorScheme}.png`)
        await page.screenshot({ path, fullPage: true })
      }
    }
  }

  /** No page is wider than its screen; every field, link and heading can be told by those who hear it. */
  const isSound = async (page: Page) => {
    for (const [, width, height] of SIZES) {
      await page.setViewportSize({ width, height })
      const [content, screen] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth,
      ])
      expect(content).toBeLessThanOrEqual(screen ?? 0)
    }
    const faults = await page.evaluate(() => {
      const found: string[] = []
      const seen = new Set<string>()
      for (const { id } of document.querySelectorAll('[id]')) {
        if (seen.has(id)) found.push(`two of #${id}`)
        seen.add(id)
      }
      for (const field of document.querySelectorAll('input:not([type=hidden]), select')) {
        if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement)) continue
        if ((field.labels?.length ?? 0) === 0) found.push(`no label of ${field.name}`)
        for (const id of (field.getAttribute('aria-describedby') ?? '').split(' ')) {
          if (id !== '' && document.getElementById(id) === null) found.push(`nothing is #${id}`)
        }
      }
      for (const one of document.querySelectorAll('a, button')) {
        const name = one.getAttribute('aria-label') ?? one.textContent
        if (name.trim() === '') found.push(`no name of ${one.outerHTML}`)
      }
      const levels = [...document.querySelectorAll('h1, h2, h3')].map(({ tagName }) =>
        Number(tagName[1]),
      )
      if (levels[0] !== 1 || levels.filter((level) => level === 1).length !== 1) {
        found.push('not one h1, and first')
      }
      levels.forEach((level, at) => {
        if (at > 0 && level > (levels[at - 1] ?? 0) + 1) found.push(`h${level} skips a level`)
      })
      if (document.documentElement.lang === '') found.push('no language')
      return found
    })
    expect(faults).toEqual([])
  }

  const open = async () => {
    const context = await browser.newContext({
      extraHTTPHeaders: { 'cf-access-jwt-assertion': access.document },
    })
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      // A browser asks for an icon by itself, which the policy of the page refuses.
      if (message.type() === 'error' && !message.text().includes('favicon')) {
        complaints.push(message.text())
      }
    })
    return { context, page, complaints, room: `${stack.sallyport}/console/demo/revocations` }
  }

  it('is where an administrator revokes a person, and lifts it', async () => {
    const { context, page, complaints, room } = await open()
    expect(await nextCall()).toBe('allow')
    await page.goto(room)
    await picture(page, 'console-1-list')
    await isSound(page)
    // What a stream said is not lifted here, and says where it is.
    const told = page.getByRole('article').filter({ hasText: 'bob' })
    expect(await told.innerText()).toContain('when the account is enabled again')
    expect(await told.getByRole('button').count()).toBe(0)

    await page.getByRole('combobox', { name: 'What is it?' }).selectOption('subject')
    await page.getByRole('textbox', { name: /^Which one/ }).fill('alice')
    await page.getByText('Where to find the id').click()
    await picture(page, 'console-2-form')
    await isSound(page)
    await page.getByRole('button', { name: 'Look at it' }).click()

    const ask = page.getByRole('region', { name: 'Revoke this?' })
    await expect.poll(() => ask.innerText()).toContain('Every token of alice')
    expect(await ask.getByRole('note').count()).toBe(0)
    await picture(page, 'console-3-ask')
    await isSound(page)
    expect(await nextCall()).toBe('allow')

    // By keyboard alone.
    await page.getByRole('textbox', { name: /^Why/ }).focus()
    await page.keyboard.type('left the company')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('status').innerText()).toContain('Revoked')
    expect(await nextCall()).toBe('revoked')
    const mine = page.getByRole('article').filter({ hasText: 'alice' })
    expect(await mine.innerText()).toContain(`administrator ${CAROL}`)
    expect(await mine.innerText()).toContain('left the company')
    await picture(page, 'console-4-revoked')
    await isSound(page)

    await mine.getByRole('button', { name: /^Lift: .* alice/ }).click()
    await expect.poll(() => page.getByRole('status').innerText()).toContain('Lifted')
    expect(await nextCall()).toBe('allow')

    // Going back shows no form that would work again.
    await page.goBack()
    await page.goForward()
    expect(await nextCall()).toBe('allow')

    await page.getByRole('link', { name: 'What was done' }).click()
    await expect.poll(() => page.getByRole('article').count()).toBe(3)
    expect(await page.getByRole('article').first().innerText()).toContain('Lifted')
    await picture(page, 'console-5-history')
    await isSound(page)
    await page.getByRole('link', { name: 'Revoke it again' }).click()
    await expect.poll(() => ask.count()).toBe(1)
    expect(complaints).toEqual([])
    await context.close()
  })

  it('warns of a slip of the pen, and shows a name that misleads as what it is', async () => {
    const { context, page, complaints, room } = await open()
    const hostile = '"><script>document.title="won"</script>\u202ecod.\u0430lice '
    await page.goto(`${room}?${new URLSearchParams({ kind: 'client', id: hostile }).toString()}`)
    const note = page.getByRole('note')
    await expect.poll(() => note.innerText()).toContain('Nothing of that name is known')
    expect(await note.innerText()).toContain('cannot be seen')
    expect(await page.title()).toBe('Revocations of acme')
    await picture(page, 'console-6-slip')
    await isSound(page)
    await page.goto(`${room}?kind=token&id=eyJh.e30.c2ln`)
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('This is a token itself')
    await picture(page, 'console-7-problem')
    await isSound(page)
    await page.goto(`${room}?kind=subject&id=${'W'.repeat(512)}`)
    await isSound(page)
    expect(complaints).toEqual([])
    await context.close()
  })

  it('lets nobody frame it or post to it from elsewhere', async () => {
    const { context, page, room } = await open()
    await page.goto(`${room}?kind=subject&id=alice`)
    const fields = await page
      .locator('form[action$="/revoke"] input[type=hidden]')
      .evaluateAll((inputs) =>
        inputs.map((input) => [input.getAttribute('name'), input.getAttribute('value')]),
      )
    const evil = await context.newPage()
    await evil.route('http://evil.localhost/**', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<iframe src="${room}"></iframe>
          <form method="post" action="${room}/revoke">
          ${fields.map(([name, value]) => `<input name="${name}" value="${value}">`).join('')}
          <button>Win</button></form>`,
      }),
    )
    await evil.goto('http://evil.localhost/')
    const framed = evil.frames().find((frame) => frame !== evil.mainFrame())
    expect(await framed?.evaluate(() => document.body.innerText)).not.toContain('administrator')
    await evil.getByRole('button', { name: 'Win' }).click()
    await expect.poll(() => evil.title()).toBe('Not done')
    expect(await nextCall()).toBe('allow')
    await context.close()
  })
})
