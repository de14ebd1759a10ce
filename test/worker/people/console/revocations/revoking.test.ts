import { describe, expect, it } from 'vitest'
import * as dpop from 'dpop'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { administrator, CAROL, withAccess } from '../../../../support/worker/access.ts'
import {
  asking,
  held,
  historyOf,
  LIFT,
  liftForm,
  revoke,
  revokeForm,
  REVOKE,
  ROOM,
} from '../../../../support/worker/console.ts'
import { formIn, withLogin } from '../../../../support/worker/pages.ts'
import {
  inThisWorld,
  ISSUER,
  newUser,
  post,
  RESOURCE,
  sessionKey,
  sql,
  token,
  toolCall,
  verdict,
} from '../../../../support/worker/world.ts'

inThisWorld()
withLogin()
withAccess()

const BY = `administrator ${CAROL}`

const dpopKeys = await dpop.generateKeyPair('ES256', { extractable: true })
const jkt = await calculateJwkThumbprint(await exportJWK(dpopKeys.publicKey))

/** A person with a task, a consent, an agent, and a bound token of one login. */
async function person() {
  const sub = await newUser()
  await sql(
    `INSERT INTO consents (tenant, id, issuer, subject, client, server, access)
     VALUES ('acme', 'consent-${sub}', '${ISSUER}', '${sub}', 'acme-agent', 'crm', 'write')`,
    `INSERT INTO tasks (tenant, id, issuer, subject, client, agent, purpose, opened_by, expires_at)
     VALUES ('acme', 'task-${sub}', '${ISSUER}', '${sub}', 'acme-agent', 'bot', 'work', 'desk', 4000000000000)`,
  )
  const bearer = await token({
    sub,
    agent: 'bot',
    claims: { cnf: { jkt }, sid: `login-${sub}`, jti: `token-${sub}` },
  })
  const next = async () => {
    const proof = await dpop.generateProof(dpopKeys, RESOURCE, 'POST', undefined, bearer)
    const headers = { authorization: `DPoP ${bearer}`, dpop: proof }
    return (await verdict(await post(toolCall('note'), { token: null, headers }))).code
  }
  return { sub, next }
}

const IDS: readonly [kind: string, id: (sub: string) => string | Promise<string>, code: string][] =
  [
    ['subject', (sub) => sub, 'revoked'],
    ['client', () => 'acme-agent', 'revoked'],
    ['agent', () => 'bot', 'revoked'],
    ['token', (sub) => `token-${sub}`, 'token_invalid'],
    ['token_session', (sub) => `login-${sub}`, 'token_invalid'],
    ['session', (sub) => sessionKey(sub), 'revoked'],
    ['task', (sub) => `task-${sub}`, 'revoked'],
    ['consent', (sub) => `consent-${sub}`, 'consent_required'],
    ['tool', () => 'crm/note', 'revoked'],
    ['server', () => 'crm', 'revoked'],
    ['proof_key', () => jkt, 'token_invalid'],
    ['issuer_key', () => 'k1', 'token_invalid'],
    ['issuer', () => ISSUER, 'token_invalid'],
  ]

describe('an administrator revokes', () => {
  it.each(IDS)(
    'a %s: the next call is refused, and let in when it is lifted',
    async (kind, idOf, code) => {
      const { sub, next } = await person()
      const id = await idOf(sub)
      const carol = await administrator()
      expect(await next()).toBe('allowed')

      // Looking does nothing.
      const form = await revokeForm(carol, kind, id)
      expect([await held(), await next()]).toEqual([[], 'allowed'])
      const sent = await carol.post(REVOKE, { ...form, reason: 'laptop lost' })
      expect([sent.status, sent.location]).toEqual([303, `${ROOM}?done=revoked`])
      expect(await next()).toBe(code)
      expect(await held()).toEqual([
        { kind, id, issuer: '*', reason: 'laptop lost', revoked_by: BY },
      ])

      const lifted = await carol.post(LIFT, await liftForm(carol, 'name="change"'))
      expect(lifted.location).toBe(`${ROOM}?done=lifted`)
      expect([await held(), await next()]).toEqual([[], 'allowed'])
      const history = (await historyOf(id)).slice(-2)
      expect(history.map(({ change, changed_by: by }) => [change, by])).toEqual([
        ['insert', BY],
        ['delete', BY],
      ])
      expect(history[1]).toMatchObject({ reason: 'laptop lost', revoked_by: BY })
    },
  )

  it('the whole tenant, and with it this page', async () => {
    const { next } = await person()
    const carol = await administrator()
    const page = await carol.get(asking('tenant', 'acme'))
    expect(page.text).toContain('Only SQL lifts it')
    await carol.post(REVOKE, formIn(page, REVOKE))
    expect(await next()).toBe('revoked')
    expect((await carol.get(ROOM)).status).toBe(403)
    expect((await carol.post(REVOKE, formIn(page, REVOKE))).status).toBe(403)
  })

  it('the name of one issuer, and nobody of that name elsewhere', async () => {
    const { sub, next } = await person()
    const carol = await administrator()
    const elsewhere = 'https://other.example'
    await sql(
      `INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('acme', '${elsewhere}', '${elsewhere}/keys')`,
    )
    expect((await carol.get(asking('subject', sub, elsewhere))).text).toContain('from <code><bdi>')
    await revoke(carol, 'subject', sub, elsewhere)
    expect(await next()).toBe('allowed')
    await revoke(carol, 'subject', sub, ISSUER)
    expect(await next()).toBe('revoked')
    expect(await held()).toHaveLength(2)
  })

  it('older tokens only, so far: it becomes all of them', async () => {
    const { sub, next } = await person()
    await sql(
      `INSERT INTO revocations (tenant, kind, id, issued_before) VALUES ('acme', 'subject', '${sub}', 5)`,
    )
    const carol = await administrator()
    expect((await carol.get(asking('subject', sub))).text).toContain('This revokes newer ones too')
    expect(await next()).toBe('allowed')
    await revoke(carol, 'subject', sub)
    expect(await next()).toBe('revoked')
    expect((await historyOf(sub)).at(-1)).toMatchObject({
      change: 'update',
      changed_by: BY,
      issued_before: null,
    })
  })

  it('herself, and is told before that she will not come back', async () => {
    const carol = await administrator()
    expect((await carol.get(asking('subject', CAROL))).text).toContain('how you are here yourself')
    await revoke(carol, 'subject', CAROL)
    expect((await carol.get(ROOM)).status).toBe(403)
  })
})

describe('what a page says of it', () => {
  it.each([
    ['subject', 'nobody-at-all', 'Nobody of that name is known'],
    ['client', 'acme-agnet', 'Nothing of that name is known'],
    ['agent', 'acme-agent', 'Nothing of that name is known'],
    ['server', 'CRM', 'Nothing of that name is known'],
    ['tool', 'crm/notes', 'Nothing of that name is known'],
    ['tool', 'note', 'Nothing of that name is known'],
    ['issuer', `${ISSUER}/`, 'Nothing of that name is known'],
    ['task', 'none', 'Nothing of that name is known'],
    ['consent', 'none', 'Nothing of that name is known'],
    ['proof_key', 'short', 'this would revoke nothing'],
    ['session', 'alice', 'this would revoke nothing'],
    ['issuer_key', 'k1', '<strong>every</strong> issuer is meant'],
    ['client', 'acme-agent ', 'something in it that cannot be seen'],
    ['client', 'acme\u200b-agent', 'something in it that cannot be seen'],
  ])('%s %j: %s, and it can be revoked all the same', async (kind, id, warning) => {
    const carol = await administrator()
    expect((await carol.get(asking(kind, id))).text.replace(/\s+/g, ' ')).toContain(warning)
    expect((await revoke(carol, kind, id)).location).toBe(`${ROOM}?done=revoked`)
    expect(await held()).toMatchObject([{ kind, id }])
  })

  it.each([
    ['client', 'acme-agent'],
    ['agent', 'bot'],
    ['subject', 'alice'],
    ['server', 'crm'],
    ['tool', 'crm/note'],
    ['issuer', ISSUER],
    ['token', 'any-jti'],
    ['task', 'txn:refund-4711'],
  ])('%s %s: nothing to warn of', async (kind, id) => {
    const { text } = await (await administrator()).get(asking(kind, id))
    expect(text).toContain('Revoke this?')
    expect(text).not.toContain('role="note"')
  })

  it.each([
    ['subject', '', 'its id is missing'],
    ['policy', 'x', 'nothing of that kind'],
    ['subject', 'x'.repeat(513), 'no page shows them whole'],
    ['subject', 'a\nb', 'in no id'],
    ['token', 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln', 'This is a token itself'],
    ['tenant', 'globex', 'Only this tenant'],
  ])('%s %j is not asked about: %s', async (kind, id, why) => {
    const { text, status } = await (await administrator()).get(asking(kind, id))
    expect(status).toBe(200)
    expect(text).toContain(why)
    expect(text).not.toContain(`action="${REVOKE}"`)
    expect(text).not.toContain('eyJ')
  })

  it('a token that is pasted is never cut to something that would pass for a name', async () => {
    const carol = await administrator()
    const pasted = await token({ sub: 'a'.repeat(200), claims: { note: 'x'.repeat(300) } })
    expect(pasted.length).toBeGreaterThan(512)
    // A browser cuts what is pasted into a field that may not be longer, and says nothing.
    expect((await carol.get(ROOM)).text).not.toMatch(/<input[^>]*name="id"[^>]*maxlength/)
    const page = await carol.get(asking('token', pasted))
    expect(page.text).toContain('This is a token itself')
    expect(page.text).not.toContain('eyJ')
    const long = await carol.get(asking('subject', 'x'.repeat(600)))
    expect(long.text).toContain('no page shows them whole')
    expect(long.text).not.toContain('xxx')
  })

  it('an issuer that the tenant does not know is not asked about', async () => {
    const { text } = await (
      await administrator()
    ).get(asking('subject', 'alice', 'https://no.example'))
    expect(text).toContain('no such issuer')
    expect(text).not.toContain(`action="${REVOKE}"`)
  })

  it.each([
    ['<script>alert(1)</script>', '&lt;script&gt;'],
    ['"><img src=x onerror=alert(1)>', '&quot;&gt;&lt;img'],
    ['\u202eecila', '\\u{202e}ecila'],
    ['аlice', 'in plain letters'],
    // Each of them is another name than the one that it looks like, to the byte.
    ['\ufeffalice', '\\u{feff}alice'],
    ['ali\u0301ce', 'ali\\u{301}ce'],
    [' alice', '\\u{20}alice'],
    ['alice+%00&amp;', 'alice+%00&amp;amp;'],
    ['x'.repeat(512), 'x'.repeat(512)],
  ])('%j is shown as what it is, in the question, the list and the history', async (id, shown) => {
    const carol = await administrator()
    const ask = await carol.get(asking('subject', id))
    await carol.post(REVOKE, { ...formIn(ask, REVOKE), reason: id.slice(0, 200) })
    for (const page of [ask, await carol.get(ROOM), await carol.get(`${ROOM}/history`)]) {
      expect(page.text).toContain(shown)
      // What a form holds is not shown.
      expect(page.text.replace(/<input type="hidden"[^>]*>/g, '')).not.toMatch(
        /<script|<img|\u202e/,
      )
    }
    expect(await held()).toMatchObject([{ id }])
  })
})

describe('the list', () => {
  it('has what holds, the newest first, with who says so, page by page', async () => {
    const before = Date.now()
    await sql(
      ...Array.from(
        { length: 60 },
        (_, n) =>
          `INSERT INTO revocations (tenant, kind, id, revoked_at) VALUES ('acme', 'token', 'jti-${n}.', ${before - 1000 * Math.floor(n / 7)})`,
      ),
    )
    const carol = await administrator()
    const seen: string[] = []
    let path: string | null = ROOM
    while (path !== null) {
      // oxlint-disable-next-line no-await-in-loop
      const { text } = await carol.get(path)
      seen.push(...[...text.matchAll(/<h3>[^]*?(jti-\d+)\./g)].map(([, id]) => id ?? ''))
      path = /<a href="([^"]+before=[^"]+)">Older/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? null
    }
    expect(seen.toSorted()).toEqual(Array.from({ length: 60 }, (_, n) => `jti-${n}`).toSorted())
    const times = seen.map((id) => Math.floor(Number(id.slice(4)) / 7))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect((await carol.get(ROOM)).text).toMatch(/by\s+SQL/)
    expect((await carol.get(`${ROOM}?before=x`)).status).toBe(400)
  })

  it('says of a row for whom it is', async () => {
    await sql(
      `INSERT INTO revocations (tenant, kind, id, issuer, source, only_client, only_without_session, issued_before, reason)
       VALUES ('acme', 'subject', 'bob', '${ISSUER}', 'hr/tokens', 'acme-agent', 1, 1700000000000, 'session-revoked')`,
    )
    const text = (await (await administrator()).get(ROOM)).text.replace(/\s+/g, ' ')
    for (const words of [
      'the stream <code>hr</code>',
      'tokens issued until <time datetime="2023-11-14',
      'tokens of the program <code>acme-agent',
      'tokens that name no login',
      '“<bdi>session-revoked',
      'After a new login there',
    ]) {
      expect(text).toContain(words)
    }
    expect(text).not.toContain(`action="${LIFT}"`)
  })
})

describe('two tabs', () => {
  it('revoke the same: once, and neither is told that it failed', async () => {
    const [carol, dora] = [await administrator(), await administrator()]
    const forms = [
      await revokeForm(carol, 'subject', 'mallory'),
      await revokeForm(dora, 'subject', 'mallory'),
    ]
    const sent = await Promise.all([
      carol.post(REVOKE, forms[0] ?? {}),
      dora.post(REVOKE, forms[1] ?? {}),
    ])
    expect(new Set(sent.map(({ location }) => location))).toEqual(
      new Set([`${ROOM}?done=held`, `${ROOM}?done=revoked`]),
    )
    expect(await historyOf('mallory')).toHaveLength(1)
  })

  it('lift the same: once', async () => {
    const carol = await administrator()
    await revoke(carol, 'subject', 'lifted-twice')
    const form = await liftForm(carol, 'lifted-twice')
    const sent = await Promise.all([carol.post(LIFT, form), carol.post(LIFT, form)])
    expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([303, 409]))
    expect((await historyOf('lifted-twice')).map(({ change }) => change)).toEqual([
      'insert',
      'delete',
    ])
  })

  it('revoke and lift by turns: a form from before does nothing after', async () => {
    const carol = await administrator()
    const revoking = await revokeForm(carol, 'subject', 'by-turns')
    await carol.post(REVOKE, revoking)
    const lifting = await liftForm(carol, 'by-turns')
    await carol.post(LIFT, lifting)
    // Sent again: what it saw is not what is there.
    expect((await carol.post(REVOKE, revoking)).status).toBe(409)
    expect(await held()).toEqual([])
    await revoke(carol, 'subject', 'by-turns')
    expect((await carol.post(LIFT, lifting)).status).toBe(409)
    expect(await held()).toHaveLength(1)
  })

  it('a row that SQL changed meanwhile is looked at again', async () => {
    const carol = await administrator()
    await revoke(carol, 'subject', 'changed')
    const form = await liftForm(carol, 'changed')
    await sql("UPDATE revocations SET reason = 'court order' WHERE id = 'changed'")
    expect((await carol.post(LIFT, form)).status).toBe(409)
    expect(await held()).toHaveLength(1)
  })
})
