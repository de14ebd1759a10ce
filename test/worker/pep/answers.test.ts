import { describe, expect, it } from 'vitest'
import {
  behaviour,
  call,
  inThisWorld,
  message,
  post,
  seen,
  sql,
  token,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

describe('what comes back', () => {
  it('lists only what this actor could be allowed', async () => {
    await sql(
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no', 'deny', 'delete_*')",
    )
    const listed = (await (await post(message('tools/list'))).json()) as {
      result: { tools: { name: string }[] }
    }
    expect(listed.result.tools.map(({ name }) => name)).toEqual(['read_all', 'export_all', 'note'])
    await sql("INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'crm/note')")
    const fewer = (await (await post(message('tools/list'))).json()) as typeof listed
    expect(fewer.result.tools.map(({ name }) => name)).toEqual(['read_all', 'export_all'])
    const nobody = await token({ sub: 'nobody' })
    const empty = (await (await post(message('tools/list'), { token: nobody })).json()) as {
      result: { tools: unknown[] }
    }
    expect(empty.result.tools).toEqual([])
  })

  it.each<[string, () => Response, number, string]>([
    [
      '401',
      () => new Response('no', { status: 401, headers: { 'www-authenticate': 'Bearer' } }),
      502,
      'upstream_refused',
    ],
    ['403', () => new Response('no', { status: 403 }), 502, 'upstream_refused'],
    [
      'a redirect',
      () => new Response(null, { status: 307, headers: { location: 'https://evil.example' } }),
      502,
      'upstream_refused',
    ],
    [
      'HTML',
      () => new Response('<p>', { headers: { 'content-type': 'text/html' } }),
      502,
      'upstream_malformed',
    ],
    [
      'no JSON',
      () => new Response('{', { headers: { 'content-type': 'application/json' } }),
      502,
      'upstream_malformed',
    ],
    [
      'an answer to somebody else',
      () => Response.json({ jsonrpc: '2.0', id: 'other', result: {} }),
      502,
      'upstream_malformed',
    ],
    [
      'a request to the client',
      () => Response.json({ jsonrpc: '2.0', id: 1, method: 'sampling/createMessage' }),
      502,
      'upstream_malformed',
    ],
  ])('%s of the upstream is ours to answer', async (_, answer, status, code) => {
    behaviour.upstream = answer
    const response = await post(toolCall('note'))
    expect(response.headers.get('www-authenticate')).toBeNull()
    expect(await verdict(response)).toMatchObject({ status, code })
    expect(seen).toHaveLength(1)
  })

  it('an upstream that cannot be reached is a 502 with a record', async () => {
    behaviour.upstream = () => Promise.reject(new Error('connection refused'))
    const said = await call('note')
    expect(said).toMatchObject({ status: 502, code: 'upstream_unreachable' })
    expect(said.decision).not.toBeNull()
  })

  it('streams events as they come, and nothing that is not part of the answer', async () => {
    behaviour.upstream = async (request) => {
      const { id } = JSON.parse(await request.text()) as { id: number }
      const events = [
        ': keep-alive\n\n',
        'id: 1\ndata:\n\n',
        'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"early"}}\n\n',
        // The call asked for none, so it is none of its own.
        'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}\n\n',
        'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n',
        `event: message\r\ndata: {"jsonrpc":"2.0","id":${id},\r\ndata: "result":{"content":[]}}\r\n\r\n`,
        'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"late"}}\n\n',
      ]
      return new Response(events.join(''), { headers: { 'content-type': 'text/event-stream' } })
    }
    const response = await post(toolCall('note'))
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const text = await response.text()
    expect(text).toMatch(/^:\n\nid: [\w-]{22}\.1\ndata: \n\ndata: /)
    expect(text).toContain('early')
    expect(text).not.toContain('notifications/progress')
    expect(text).toContain('"result":{"content":[]}}')
    expect(text).not.toContain('list_changed')
    expect(text).not.toContain('late')
  })

  it(
    'ends a stream that ends without an answer, whatever its line ends',
    { timeout: 5_000 },
    async () => {
      behaviour.upstream = () =>
        new Response(
          'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"early"}}\r\r',
          {
            headers: { 'content-type': 'text/event-stream' },
          },
        )
      const text = await (await post(toolCall('note'))).text()
      expect(text).toContain('early')
      expect(text).toContain('"code":50201')
    },
  )

  it('withholds a result that asks the client for something', async () => {
    behaviour.upstream = async (request) => {
      const { id } = JSON.parse(await request.text()) as { id: number }
      const inputRequests = {
        a: { method: 'elicitation/create', params: { message: 'password?' } },
      }
      const result = { resultType: 'input_required', inputRequests }
      return Response.json({ jsonrpc: '2.0', id, result })
    }
    const response = await post(toolCall('note'))
    expect(await response.clone().text()).not.toContain('password')
    expect(await verdict(response)).toMatchObject({ status: 502, code: 'upstream_malformed' })
  })

  it('ends a stream in which the upstream asks the client for something', async () => {
    behaviour.upstream = () =>
      new Response(
        'data: {"jsonrpc":"2.0","id":9,"method":"sampling/createMessage","params":{}}\n\n',
        {
          headers: { 'content-type': 'text/event-stream' },
        },
      )
    const text = await (await post(toolCall('note'))).text()
    expect(text).not.toContain('sampling')
    expect(text).toContain('"code":50201')
  })
})
