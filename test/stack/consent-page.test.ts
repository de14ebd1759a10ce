import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callTool } from '../../local/mcp-client.ts'
import { startTestStack, type TestStack } from '../support/node/stack.ts'

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const isThere = existsSync(CHROMIUM)
/** Where pictures of the pages go; nowhere unless it is asked for. */
const PICTURES = process.env['PAGE_PICTURES']

if (!isThere) {
  console.warn(`NOT RUN: the consent page in a real browser, because ${CHROMIUM} is not there`)
}

const SIZES = [
  ['phone', 375, 800],
  ['desk', 1200, 900],
] as const

describe.skipIf(!isThere)('the consent page, in a real browser', () => {
  let stack: TestStack
  let browser: Browser

  beforeAll(async () => {
    stack = await startTestStack()
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  })
  afterAll(async () => {
    await browser.close()
    await stack.stop()
  })

  const readInbox = async (client = 'acme-agent') => {
    const token = await stack.token({ sub: 'alice', client, server: 'mail' })
    const endpoint = stack.endpoint('mail').href
    const { decision, reason } = await callTool({ endpoint, token, tool: 'read_inbox', args: {} })
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

  const signIn = async (page: Page, user: string) => {
    await page.getByRole('link', { name: /^Sign in at/ }).click()
    await page.getByRole('radio', { name: user }).check()
    await page.getByRole('button', { name: 'Allow' }).click()
  }

  /** No page is wider than the screen that it is read on. */
  const fits = async (page: Page) => {
    for (const [, width, height] of SIZES) {
      await page.setViewportSize({ width, height })
      const [content, screen] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth,
      ])
      expect(content).toBeLessThanOrEqual(screen ?? 0)
    }
  }

  it('is where a person allows a program something, and takes it back', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      // A browser asks for an icon by itself, which the policy of the page refuses.
      if (message.type() === 'error' && !message.text().includes('favicon')) {
        complaints.push(message.text())
      }
    })
    expect(await readInbox()).toBe('consent_required')

    await page.goto(`${stack.sallyport}/consents/mail?client=acme-agent&tool=read_inbox`)
    await picture(page, '1-sign-in')
    await fits(page)
    await signIn(page, 'Alice')

    // Who asks is told by facts: its id and the hosts that it signs in at.
    const ask = page.getByRole('region', { name: 'Allow this?' })
    await expect.poll(() => ask.innerText()).toContain('acme-agent')
    const said = await ask.innerText()
    expect(said).toContain('127.0.0.1')
    expect(said).toContain('read_inbox')
    expect(said).toContain("It calls itself “Acme's own agent”")
    await picture(page, '2-ask')
    await fits(page)

    // By keyboard alone.
    await page.getByRole('radio', { name: 'for one hour' }).focus()
    await page.keyboard.press('ArrowDown')
    expect(await page.getByRole('radio', { name: 'for one day' }).isChecked()).toBe(true)
    await page.keyboard.press('Tab')
    await page.keyboard.type('answers while I am away')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('status').innerText()).toContain('Allowed')
    expect(await page.getByRole('article').innerText()).toContain('answers while I am away')
    expect([await readInbox(), await readInbox('other-agent')]).toEqual([
      'allow',
      'consent_required',
    ])
    await picture(page, '3-list')
    await fits(page)

    await page.getByRole('button', { name: /^Withdraw: acme-agent/ }).click()
    await expect.poll(() => page.getByRole('status').innerText()).toContain('Withdrawn')
    expect(await readInbox()).toBe('consent_required')
    await picture(page, '4-withdrawn')

    // Going back shows no form that would work again.
    await page.goBack()
    await page.goForward()
    expect(await readInbox()).toBe('consent_required')

    await page.getByRole('button', { name: 'Sign out' }).click()
    await expect.poll(() => page.getByRole('link', { name: /^Sign in at/ }).count()).toBe(1)
    expect(await context.cookies(stack.sallyport)).toEqual([])
    expect(complaints).toEqual([])
    await context.close()
  })

  it('keeps its cookie from scripts, and lets nobody frame it or post to it from elsewhere', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${stack.sallyport}/consents/mail`)
    await signIn(page, 'Alice')
    await page.goto(`${stack.sallyport}/consents/mail?client=acme-agent&tool=read_inbox`)
    expect(await page.evaluate(() => document.cookie)).toBe('')
    const fields = await page
      .locator('form[action$="/grant"] input[type=hidden]')
      .evaluateAll((inputs) =>
        inputs.map((input) => [input.getAttribute('name'), input.getAttribute('value')]),
      )

    // Another origin of the same person's browser, with the very form that the page holds.
    const evil = await context.newPage()
    await evil.route('http://evil.localhost/**', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<iframe src="${stack.sallyport}/consents/mail"></iframe>
          <form method="post" action="${stack.sallyport}/consents/mail/grant">
          ${fields.map(([name, value]) => `<input name="${name}" value="${value}">`).join('')}
          <input name="until" value="open"><button>Win</button></form>`,
      }),
    )
    await evil.goto('http://evil.localhost/')
    const framed = evil.frames().find((frame) => frame !== evil.mainFrame())
    expect(await framed?.evaluate(() => document.body.innerText)).not.toContain('Signed in as')
    await evil.getByRole('button', { name: 'Win' }).click()
    await expect.poll(() => evil.title()).toBe('Not done')
    expect(await readInbox()).toBe('consent_required')

    // The same form at its own page works, so nothing else was wrong with it.
    await page.getByRole('radio', { name: 'until I withdraw it' }).check()
    await page.getByRole('button', { name: 'Allow', exact: true }).click()
    await expect.poll(() => page.getByRole('status').innerText()).toContain('Allowed')
    expect(await readInbox()).toBe('allow')
    await page.getByRole('combobox', { name: 'Which program?' }).selectOption('other-agent')
    await page.getByRole('combobox', { name: 'What may it do?' }).selectOption('access:read')
    await page.getByRole('button', { name: 'Look at it' }).click()
    await expect.poll(() => page.getByRole('region', { name: 'Allow this?' }).count()).toBe(1)
    await picture(page, '5-class')
    await context.close()
  })
})
