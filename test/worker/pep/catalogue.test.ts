import { describe, expect, it } from 'vitest'
import { ask, reply } from '../../support/worker/modern.ts'
import {
  behaviour,
  inThisWorld,
  ISSUER,
  message,
  newUser,
  post,
  seen,
  sql,
  token,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

/** Rows of the catalogue, as an operator would write them. */
const rows = (...names: string[]): Promise<void> =>
  sql(
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ${names
      .map((name) => `('acme', 'crm', '${name}', 'read', 1)`)
      .join(', ')}`,
  )

const deny = (tool: string): Promise<void> =>
  sql(
    `INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'deny-${tool}', 'deny', '${tool}')`,
  )

const read = async (uri: string, options = {}) =>
  verdict(await post(message('resources/read', { uri }), options))
const prompt = async (name: string, args: unknown = {}) =>
  verdict(await post(message('prompts/get', { name, arguments: args })))

describe('a resource', () => {
  it('without a row is unknown, and nothing is asked of the server', async () => {
    expect(await read('test://a')).toMatchObject({ status: 200, code: 'tool_unknown' })
    expect(seen).toEqual([])
  })

  it('is read with a row and a policy, in the bytes that were sent', async () => {
    await rows('resource:test://*')
    expect(await read('test://a')).toMatchObject({ code: 'allowed' })
    expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject({ params: { uri: 'test://a' } })
  })

  it('is forbidden by the words that forbid tools', async () => {
    await rows('resource:test://*')
    await deny('resource:test://secret/*')
    expect(await read('test://secret/1')).toMatchObject({ code: 'denied_by_policy' })
    expect(await read('test://public/1')).toMatchObject({ code: 'allowed' })
    for (const method of ['resources/subscribe', 'resources/unsubscribe']) {
      const answered = await post(message(method, { uri: 'test://secret/1' }))
      expect(await verdict(answered)).toMatchObject({ code: 'denied_by_policy' })
    }
    expect(seen).toHaveLength(1)
  })

  it.each([
    'TEST://secret/1',
    'test://SECRET/1',
    'test://secre%74/1',
    'test://public/../secret/1',
    'test://public/%2e%2e/secret/1',
    'test://public/..%2Fsecret/1',
    'test://public/%252e%252e/secret/1',
    'test:////secret/1',
    'test://secret\\1',
    'test://x@secret/1',
    'test://secret./1',
  ])('written as %s fools no pattern', async (uri) => {
    await rows('resource:test:*', 'resource:TEST:*', '*')
    await deny('resource:test://secret/*')
    expect(await read(uri)).toMatchObject({ code: 'tool_unknown' })
    expect(seen).toEqual([])
  })

  it('of any spelling has what a row says of that very text', async () => {
    await rows('resource:TEST://A/../b')
    expect(await read('TEST://A/../b')).toMatchObject({ code: 'allowed' })
    expect(await read('test://A/../b')).toMatchObject({ code: 'tool_unknown' })
  })

  it('that a template makes is known by the row of the template', async () => {
    await rows('resource:test://t/{id}/data')
    expect(await read('test://t/7/data')).toMatchObject({ code: 'allowed' })
    for (const uri of ['test://t/7/8/data', 'test://t//data', 'test://t/../data', 'test://t/7']) {
      // oxlint-disable-next-line no-await-in-loop
      expect([uri, (await read(uri)).code]).toEqual([uri, 'tool_unknown'])
    }
  })

  it('is revoked, consented to and recorded under its name', async () => {
    await rows('resource:test://*')
    await sql("UPDATE servers SET consent_required = 1 WHERE name = 'crm'")
    const sub = await newUser()
    const bearer = await token({ sub })
    expect(await read('test://a', { token: bearer })).toMatchObject({ code: 'consent_required' })
    await sql(
      `INSERT INTO consents (tenant, id, issuer, subject, client, server, tool) VALUES
        ('acme', 'c', '${ISSUER}', '${sub}', 'acme-agent', 'crm', 'resource:test://a')`,
    )
    expect(await read('test://a', { token: bearer })).toMatchObject({ code: 'allowed' })
    expect(await read('test://b', { token: bearer })).toMatchObject({ code: 'consent_required' })
    await sql(
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'crm/resource:test://a')",
    )
    expect(await read('test://a', { token: bearer })).toMatchObject({ code: 'revoked' })
  })

  it('counts in the history by the labels of its row', async () => {
    await rows('resource:test://*')
    await sql(
      `INSERT INTO tool_labels (tenant, server, tool, label) VALUES
        ('acme', 'crm', 'resource:test://*', 'source.confidential'),
        ('acme', 'crm', 'resource:test://*', 'source.bulk')`,
    )
    const bearer = await token({ sub: await newUser() })
    const options = { token: bearer }
    expect(await read('test://a', options)).toMatchObject({ code: 'allowed' })
    const after = await post(message('tools/call', { name: 'export_all' }), options)
    expect(await verdict(after)).toMatchObject({ code: 'denied_by_sequence' })
  })

  it('is bounded by its argument like a tool', async () => {
    await rows('resource:test://*')
    await sql(
      `INSERT INTO policies (tenant, id, effect, tool, condition) VALUES
        ('acme', 'no-drafts', 'deny', 'resource:*', 'args.uri.endsWith("draft")')`,
    )
    expect(await read('test://a-draft')).toMatchObject({ code: 'denied_by_policy' })
    expect(await read('test://a')).toMatchObject({ code: 'allowed' })
  })

  it('that was read in the modern era is for nobody else', async () => {
    await rows('resource:test://*')
    behaviour.upstream = async (request) => {
      const { id } = (await request.json()) as { id: number }
      const result = { resultType: 'complete', contents: [], ttlMs: 1e9, cacheScope: 'public' }
      return Response.json({ jsonrpc: '2.0', id, result })
    }
    expect((await reply(ask('resources/read', { uri: 'test://a' }))).result).toMatchObject({
      ttlMs: 5000,
      cacheScope: 'private',
    })
  })
})

describe('a prompt', () => {
  it('is decided by its name, and its arguments', async () => {
    expect(await prompt('p')).toMatchObject({ code: 'tool_unknown' })
    await rows('prompt:*')
    await sql(
      `INSERT INTO policies (tenant, id, effect, tool, condition) VALUES
        ('acme', 'no-city', 'deny', 'prompt:p', 'args.city == "x"')`,
    )
    expect(await prompt('p', { city: 'y' })).toMatchObject({ code: 'allowed' })
    expect(await prompt('p', { city: 'x' })).toMatchObject({ code: 'denied_by_policy' })
  })

  it('is no tool of the same name, and a tool no prompt', async () => {
    await rows('prompt:p')
    expect(await prompt('note')).toMatchObject({ code: 'tool_unknown' })
    const asTool = await post(message('tools/call', { name: 'prompt:p' }))
    expect(await verdict(asTool)).toMatchObject({ code: 'params_invalid' })
    expect(seen).toEqual([])
  })
})

describe('a completion', () => {
  const complete = async (ref: unknown, value: string) =>
    verdict(await post(message('completion/complete', { ref, argument: { name: 'city', value } })))

  it('is decided as what it completes, with the value as an argument', async () => {
    await rows('prompt:*', 'resource:test://*')
    await deny('prompt:hidden')
    await sql(
      `INSERT INTO policies (tenant, id, effect, tool, condition) VALUES
        ('acme', 'no-x', 'deny', 'resource:*', 'args.city.startsWith("x")')`,
    )
    const template = { type: 'ref/resource', uri: 'test://t/{city}' }
    expect(await complete({ type: 'ref/prompt', name: 'p' }, 'x')).toMatchObject({
      code: 'allowed',
    })
    expect(await complete({ type: 'ref/prompt', name: 'hidden' }, '')).toMatchObject({
      code: 'denied_by_policy',
    })
    expect(await complete(template, 'a')).toMatchObject({ code: 'allowed' })
    expect(await complete(template, 'x')).toMatchObject({ code: 'denied_by_policy' })
    expect(await complete({ type: 'ref/resource', uri: 'other://{city}' }, '')).toMatchObject({
      code: 'tool_unknown',
    })
  })
})
