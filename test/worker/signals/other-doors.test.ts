import { beforeEach, describe, expect, it } from 'vitest'
import { Browser, withLogin } from '../../support/worker/pages.ts'
import { lastClaims, signsForCrm } from '../../support/worker/signed.ts'
import { inThisWorld, newUser, sql } from '../../support/worker/world.ts'
import {
  CAEP,
  callAfter,
  person,
  RISC,
  seconds,
  tell,
  withStream,
} from '../../support/worker/signals.ts'
import { ask as question, mayCall, register } from '../authzen/ask.ts'
import { ask, notes, openerToken, setUp } from '../tasks/door.ts'

inThisWorld()
withStream()
withLogin()
beforeEach(() => sql('UPDATE servers SET consent_required = 0'))

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

  it('ask for another login once a credential has changed', async () => {
    const browser = new Browser()
    await browser.logIn('alice')
    const event = { credential_type: 'password', change_type: 'update' }
    await tell(`${CAEP}credential-change`, person('bob'), event)
    expect(await isIn(browser)).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    await tell(`${CAEP}credential-change`, person('alice'), event)
    expect(await isIn(browser)).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    await browser.logIn('alice')
    expect(await isIn(browser)).toBe(true)
  })

  it('are closed while a stream is silent that must be heard', async () => {
    const browser = new Browser()
    await browser.logIn('alice')
    await sql("UPDATE signal_streams SET max_silence_s = 60, on_silence = 'deny', created_at = 0")
    expect(await isIn(browser)).toBe(false)
    await tell('https://schemas.example/heard', person('alice'))
    expect(await isIn(browser)).toBe(true)
  })
})

describe('the door of tasks', () => {
  const opened = async (secondsAgo: number) => {
    const iat = seconds() - secondsAgo
    const reply = await ask(notes(), {
      token: await openerToken({ claims: { iat, exp: iat + 300 } }),
    })
    return [reply.status, reply.error]
  }

  it('is closed to a token from before its credential changed', async () => {
    await setUp()
    const event = { credential_type: 'password', change_type: 'update' }
    await tell(`${CAEP}credential-change`, person('desk'), {
      ...event,
      event_timestamp: seconds() - 10,
    })
    expect(await opened(30)).toEqual([401, 'login_outdated'])
    expect((await opened(5))[0]).toBe(201)
  })
})

describe('whoever asks about others (AuthZEN)', () => {
  it('is not answered while a stream is silent that must be heard', async () => {
    await register()
    const sub = await newUser()
    expect((await question(mayCall('note', sub))).decision).toBe(true)
    await sql("UPDATE signal_streams SET max_silence_s = 60, on_silence = 'deny', created_at = 0")
    const reply = await question(mayCall('note', sub))
    expect([reply.status, reply.error]).toEqual([503, 'signals_silent'])
  })

  it('cannot make a token newer than what ended it', async () => {
    await register()
    const sub = await newUser()
    await tell(`${CAEP}session-revoked`, person(sub))
    const asked = (issued_at: number) => {
      const one = mayCall('note', sub)
      const { subject } = one
      const properties = { ...subject.properties, issued_at }
      return question({ ...one, subject: { ...subject, properties } })
    }
    expect((await asked(seconds() - 30)).decision).toBe(false)
    // In milliseconds, or of tomorrow.
    expect((await asked(Date.now())).status).toBe(400)
    expect((await asked(seconds() + 86_400)).status).toBe(400)
  })
})

describe('the upstream', () => {
  it('hears of a login no more than the issuer still says of it', async () => {
    await signsForCrm()
    const sub = await newUser()
    const login = { acr: 'phr', auth_time: seconds() - 40 }
    expect(await callAfter(sub, 30, login)).toBe('allowed')
    expect(lastClaims()).toMatchObject(login)
    const claims = { acr: 'pwd', auth_time: seconds() - 400 }
    await tell(`${CAEP}token-claims-change`, person(sub), { claims })
    expect(await callAfter(sub, 30, login)).toBe('allowed')
    expect(lastClaims()).not.toHaveProperty('acr')
    expect(lastClaims()['auth_time']).toBe(claims.auth_time)
  })
})
