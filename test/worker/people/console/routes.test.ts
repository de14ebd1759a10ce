import { describe, expect, it, vi } from 'vitest'
import { administrator, withAccess } from '../../../support/worker/access.ts'
import {
  asking,
  held,
  LIFT,
  revoke,
  REVOKE,
  revokeForm,
  ROOM,
  roomOf,
} from '../../../support/worker/console.ts'
import { withLogin } from '../../../support/worker/pages.ts'
import { inThisWorld, sql } from '../../../support/worker/world.ts'

inThisWorld()
withLogin()
withAccess()

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const OWN = { origin: 'http://localhost:8787', 'sec-fetch-site': 'same-origin' }

describe('the console', () => {
  it.each([
    `${ROOM}/`,
    ROOM.replace('console', 'Console'),
    roomOf('CRM'),
    '/console/crm%2Frevocations',
    '/console//crm/revocations',
    roomOf('crm%00'),
    roomOf('..'),
  ])('has one spelling: %s is nothing', async (path) => {
    const carol = await administrator()
    await revoke(carol, 'subject', 'shown-once')
    const { status, text } = await carol.get(path)
    expect([status, text.includes('shown-once')]).toEqual([404, false])
  })

  it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'POST'])('answers no %s', async (method) => {
    const carol = await administrator()
    for (const path of [ROOM, `${ROOM}/history`, ...(method === 'POST' ? [] : [REVOKE, LIFT])]) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await carol.request(path, { method, headers: OWN })).status).toBe(404)
    }
  })

  it('and a server of that name are two places', async () => {
    await sql(
      "INSERT INTO servers (name, tenant, url) VALUES ('console', 'acme', 'https://crm.example/mcp/console')",
    )
    const carol = await administrator()
    const endpoint = await carol.request('/console/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: '{}',
    })
    expect([endpoint.status, endpoint.headers.has('www-authenticate')]).toEqual([401, true])
    expect((await carol.get(roomOf('console'))).status).toBe(200)
  })

  it.each<[string, Record<string, string>, string, number]>([
    ['as text', { 'content-type': 'text/plain' }, '', 400],
    ['as nothing', {}, '', 400],
    ['in parts', { 'content-type': 'multipart/form-data; boundary=x' }, '', 400],
    ['with a field twice', FORM, '&reason=another', 400],
    ['without end', FORM, `&more=${'x'.repeat(16 * 1024)}`, 400],
    ['from a frame without an origin', { ...FORM, origin: 'null' }, '', 403],
    ['typed into the address', { ...FORM, 'sec-fetch-site': 'none' }, '', 403],
    ['as a browser does', { 'content-type': `${FORM['content-type']}; charset=UTF-8` }, '', 303],
  ])('takes a form only as its own page sends it: %s', async (_, headers, more, status) => {
    const carol = await administrator()
    const fields = new URLSearchParams(await revokeForm(carol, 'subject', 'alice'))
    const body = new TextEncoder().encode(`${fields.toString()}${more}`)
    const sent = await carol.request(REVOKE, {
      method: 'POST',
      headers: { ...OWN, ...headers },
      body,
    })
    expect(sent.status).toBe(status)
    expect(await held()).toHaveLength(status === 303 ? 1 : 0)
  })

  it('that cannot write says so to a person, and nothing of the cause', async () => {
    const carol = await administrator()
    const form = await revokeForm(carol, 'subject', 'alice')
    await sql(
      "CREATE TRIGGER broken BEFORE INSERT ON revocation_history BEGIN SELECT RAISE(ABORT, 'a secret'); END",
    )
    const faults = vi.spyOn(console, 'error').mockReturnValue()
    const done = await carol.post(REVOKE, form)
    await sql('DROP TRIGGER broken')
    expect([done.status, done.headers.get('content-type'), faults.mock.calls.length]).toEqual([
      500,
      'text/html; charset=utf-8',
      1,
    ])
    expect(done.text).toContain('Whether anything was changed is not known')
    expect(done.text).not.toContain('secret')
    // Without its entry in the history there is no revocation either.
    expect(await held()).toEqual([])
    expect((await carol.get(asking('subject', 'alice'))).text).toContain('Revoke this?')
  })
})
