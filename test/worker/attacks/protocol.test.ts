import { describe, expect, it } from 'vitest'
import { ask, reply } from '../../support/worker/modern.ts'
import {
  behaviour,
  inThisWorld,
  message,
  post,
  seen,
  sql,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

const rows = (...names: string[]): Promise<void> =>
  sql(
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ${names
      .map((name) => `('acme', 'crm', '${name}', 'read', 1)`)
      .join(', ')}`,
  )
const deny = (tool: string): Promise<void> =>
  sql(
    `INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'd-${tool}', 'deny', '${tool}')`,
  )

describe('spellings', () => {
  it.each([
    ['resource:https://internal.example/*', 'https:/internal.example/x'],
    ['resource:https://internal.example/*', 'https:internal.example/x'],
    ['resource:file:///etc/*', 'file:/etc/passwd'],
    ['resource:file:///etc/*', 'file://localhost/etc/passwd'],
    ['resource:http://127.0.0.1/*', 'http://127.1/x'],
    ['resource:http://127.0.0.1/*', 'http://0x7f.0.0.1/x'],
    ['resource:http://127.0.0.1/*', 'http://2130706433/x'],
    ['resource:crm://p/a@b', 'crm://p/a%40b'],
    ['resource:crm://p/a:b', 'crm://p/a%3Ab'],
    ['resource:crm://p/a(b', 'crm://p/a%28b'],
  ])('deny %s, read %s', async (pattern, uri) => {
    await rows('*')
    await deny(pattern)
    const code = (await verdict(await post(message('resources/read', { uri })))).code
    expect(code).not.toBe('allowed')
  })
})

describe('more', () => {
  it('completions reveal hidden', async () => {
    await rows('resource:crm://*')
    await deny('resource:crm://secret/*')
    behaviour.upstream = async (r) => {
      const { id } = (await r.json()) as { id: number }
      return Response.json({
        jsonrpc: '2.0',
        id,
        result: { resultType: 'complete', completion: { values: ['secret', 'open'], total: 2 } },
      })
    }
    const { result } = await reply(
      ask('completion/complete', {
        ref: { type: 'ref/resource', uri: 'crm://{kind}/{id}' },
        argument: { name: 'kind', value: '' },
      }),
    )
    expect(JSON.stringify(result)).not.toContain('secret')
  })
  it('completion context hides an argument', async () => {
    await rows('prompt:*')
    await sql(
      `INSERT INTO policies (tenant, id, effect, tool, condition) VALUES ('acme', 'nc', 'deny', 'prompt:*', 'args.city == "x"')`,
    )
    const v = await verdict(
      await post(
        message('completion/complete', {
          ref: { type: 'ref/prompt', name: 'p' },
          argument: { name: 'city', value: 'y' },
          context: { arguments: { city: 'x' } },
        }),
      ),
    )
    expect(v.code).not.toBe('allowed')
  })
  it('listing with other members', async () => {
    behaviour.upstream = async (r) => {
      const { id } = (await r.json()) as { id: number }
      return Response.json({
        jsonrpc: '2.0',
        id,
        result: {
          resultType: 'complete',
          tools: [{ name: 'note' }],
          Tools: [{ name: 'hidden' }],
          total: 2,
        },
      })
    }
    expect(JSON.stringify((await reply(ask('tools/list'))).result)).not.toContain('hidden')
  })
  it('result kinds in another case', async () => {
    behaviour.upstream = async (r) => {
      const { id } = (await r.json()) as { id: number }
      return Response.json({
        jsonrpc: '2.0',
        id,
        result: {
          resultType: 'complete',
          content: [],
          ResultType: 'input_required',
          InputRequests: { k: { method: 'sampling/createMessage', params: {} } },
        },
      })
    }
    expect((await verdict(await ask('tools/call', { name: 'note' }))).code).not.toBe('allowed')
  })
  it('an elicitation answer disguised as sampling', async () => {
    await rows('client:sampling')
    const v = await verdict(
      await ask('tools/call', {
        name: 'note',
        inputResponses: { k: { role: 'user', Action: 'accept', content: { x: 1 } } },
      }),
    )
    expect(v.code).not.toBe('allowed')
  })
  it('headers of an answer', async () => {
    const r = await post(JSON.stringify({ jsonrpc: '2.0', id: 'ping:1', result: {} }), {
      headers: { 'mcp-method': 'tools/call', 'mcp-name': 'delete_one', 'mcp-param-x': 'y' },
    })
    console.log(r.status, await r.text(), seen.length)
    const g = await post('', {
      method: 'GET',
      headers: {
        'mcp-method': 'tools/call',
        'mcp-name': 'delete_one',
        accept: 'text/event-stream',
      },
    })
    console.log(g.status, [...(seen[0]?.headers ?? [])].join('|'))
    expect(seen.every((s) => !s.headers.has('mcp-method'))).toBe(true)
  })
  it('pinned resources in a directory', async () => {
    const { canonicalDefinition } = await import('../../../src/mcp/definition.ts')
    const { sha256 } = await import('../../../src/sha256.ts')
    const def = { uri: 'skill://a/x', name: 'x' }
    const hash = await sha256(canonicalDefinition(def))
    await rows('resource:skill://a/')
    await sql(
      `INSERT INTO tools (tenant, server, name, access, labels_reviewed, definition_hash, definition) VALUES ('acme', 'crm', 'resource:skill://a/x', 'read', 1, '${hash}', '${JSON.stringify(def)}')`,
    )
    behaviour.upstream = async (r) => {
      const { id, method } = (await r.json()) as { id: number; method: string }
      const results: Record<string, unknown> = {
        'resources/list': { resources: [def] },
        'resources/directory/read': { resources: [def] },
        'tools/list': { tools: [] },
        'prompts/list': { prompts: [] },
        'resources/templates/list': { resourceTemplates: [] },
        'resources/read': { contents: [] },
      }
      return Response.json({
        jsonrpc: '2.0',
        id,
        result: { resultType: 'complete', ...(results[method] as object) },
      })
    }
    console.log(JSON.stringify(await reply(ask('resources/list'))))
    console.log(JSON.stringify(await verdict(await ask('resources/read', { uri: 'skill://a/x' }))))
    const d = await reply(ask('resources/directory/read', { uri: 'skill://a/' }))
    expect(d.result).toMatchObject({ resources: [def] })
  })
})
