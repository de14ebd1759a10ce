import { describe, expect, it } from 'vitest'
import { Browser, withLogin } from '../../support/worker/pages.ts'
import { inThisWorld } from '../../support/worker/world.ts'
import { CAEP, person, RISC, seconds, tell, withStream } from '../../support/worker/signals.ts'

inThisWorld()
withStream()
withLogin()

const isIn = async (browser: Browser) =>
  (await browser.get('/consents/crm')).text.includes('Signed in as')

describe('the pages of a person', () => {
  it('end with a session-revoked, and begin again with another login', async () => {
    const browser = new Browser()
    await browser.logIn('alice')
    expect(await isIn(browser)).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    await tell(`${CAEP}session-revoked`, person('alice'), { event_timestamp: seconds() })
    expect(await isIn(browser)).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    const again = new Browser()
    await again.logIn('alice')
    expect(await isIn(again)).toBe(true)
  })

  it('are closed with the account', async () => {
    const browser = new Browser()
    await browser.logIn('alice')
    await tell(`${RISC}account-disabled`, person('alice'))
    expect(await isIn(browser)).toBe(false)
  })
})
