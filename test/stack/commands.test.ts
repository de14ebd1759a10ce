import { rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand, startCommand, stopCommand } from '../support/node/command.ts'
import { startTestStack, temporaryState, type TestStack } from '../support/node/stack.ts'
import { freePorts } from '../../local/ports.ts'

const CAROL = ['--sub', 'carol', '--client', 'acme-agent']

describe('with nothing running', { timeout: 30_000 }, () => {
  let state: string
  beforeAll(async () => {
    state = await temporaryState()
  })
  afterAll(() => rm(state, { recursive: true, force: true }))

  it('`token` says that no stack runs, and how to start one', async () => {
    const { code, stdout, stderr } = await runCommand('token', CAROL, { state })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('npm start')
  })

  it('`sql` says that there are no databases yet', async () => {
    const { code, stderr } = await runCommand('sql', ['SELECT 1'], { state })
    expect(code).toBe(1)
    expect(stderr).toContain('npm start')
  })

  it('a `stack.json` of a dead process is cleared away', async () => {
    const ended = await runCommand('token', [], { state })
    expect(ended.stderr).toContain('usage')
    await writeFile(join(state, 'stack.json'), JSON.stringify({ pid: 2 ** 22 + 1, stack: null }))
    const { stderr } = await runCommand('token', CAROL, { state })
    expect(stderr).toContain('no stack is running')
  })

  it('`start` names the busy port', async () => {
    const { sallyport: port } = await freePorts()
    const blocker = createServer().listen(port + 1, '127.0.0.1')
    await once(blocker, 'listening')
    const { code, stderr } = await runCommand('start', [], { state, port })
    blocker.close()
    expect(code).toBe(1)
    expect(stderr).toContain(`port ${port + 1} is in use`)
  })

  it('an unknown option is a message, not a stack trace', async () => {
    const { code, stderr } = await runCommand('sql', ['--frob'], { state })
    expect(code).toBe(1)
    expect(stderr).toContain('--frob')
    expect(stderr).not.toContain('    at ')
  })
})

describe('beside a running stack', { timeout: 30_000 }, () => {
  let stack: TestStack
  beforeAll(async () => {
    stack = await startTestStack()
  }, 60_000)
  afterAll(() => stack.stop())

  const sql = (...args: string[]) => runCommand('sql', args, stack)

  it('`token` prints the token alone', async () => {
    const { code, stdout, stderr } = await runCommand('token', CAROL, stack)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    const claims = JSON.parse(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString())
    expect(claims).toMatchObject({
      sub: 'carol',
      client_id: 'acme-agent',
      tenant: 'acme',
      aud: stack.endpoint().href,
    })
    expect(claims.scope.split(' ').toSorted()).toEqual(['demo:export', 'demo:use', 'demo:write'])
  })

  it('`sql` prints rows as JSON, and `[]` for a write', async () => {
    const read = await sql("SELECT id, name FROM tenants WHERE id = 'acme'")
    expect(JSON.parse(read.stdout)).toEqual([{ id: 'acme', name: 'Acme Corp' }])
    const write = await sql(
      "INSERT INTO tenants (id) VALUES ('t1'); INSERT INTO tenants (id) VALUES ('t2')",
    )
    expect(JSON.parse(write.stdout)).toEqual([])
    expect(await stack.query("SELECT id FROM tenants WHERE id LIKE 't_'")).toHaveLength(2)
  })

  it('several statements are all done or none', async () => {
    const { code, stderr } = await sql('DELETE FROM tool_labels; SELECT * FROM missing')
    expect({ code, stderr: stderr.trim() }).toEqual({ code: 1, stderr: 'no such table: missing' })
    const [left] = await stack.query('SELECT count(*) > 0 AS some FROM tool_labels')
    expect(left).toEqual({ some: 1 })
  })

  it('finds the decision log by itself, and `--decisions` insists on it', async () => {
    const own = await sql('SELECT count(*) AS n FROM outcomes')
    expect(JSON.parse(own.stdout)).toEqual([{ n: 0 }])
    const { code, stderr } = await sql('SELECT * FROM tenants', '--decisions')
    expect(code).toBe(1)
    expect(stderr).toContain('no such table: tenants')
  })

  it('the tool that runs SQL answers nobody without its key', async () => {
    const answer = await fetch(new URL('/sql', stack.sql.url), {
      method: 'POST',
      body: JSON.stringify({ database: 'policy', sql: 'SELECT 1' }),
    })
    expect(answer.status).toBe(403)
  })

  it('a second stack on the same state is refused', async () => {
    const { sallyport: port } = await freePorts()
    const { code, stderr } = await runCommand('start', [], { state: stack.state, port })
    expect(code).toBe(1)
    expect(stderr).toContain('is held by process')
  })

  it('answers on every name of this machine', async () => {
    for (const host of ['localhost', '127.0.0.1']) {
      const answer = await fetch(`http://${host}:${stack.ports.sallyport}/healthz`)
      expect(answer.status).toBe(200)
    }
  })
})

describe('`start`', { timeout: 60_000 }, () => {
  it('runs until told to stop; `--keep` keeps, its absence begins anew, `sql` works between', async () => {
    const place = { state: await temporaryState(), port: (await freePorts()).sallyport }
    const add = "INSERT INTO tenants (id) VALUES ('added')"
    const count = "SELECT count(*) AS n FROM tenants WHERE id = 'added'"
    const counted = async () => JSON.parse((await runCommand('sql', [count], place)).stdout)

    const first = await startCommand([], place)
    await runCommand('sql', [add], place)
    expect(await stopCommand(first)).toBe(0)
    expect(await counted()).toEqual([{ n: 1 }])

    const kept = await startCommand(['--keep'], place)
    expect(await counted()).toEqual([{ n: 1 }])
    await stopCommand(kept)

    const fresh = await startCommand([], place)
    expect(await counted()).toEqual([{ n: 0 }])
    await stopCommand(fresh)
    await rm(place.state, { recursive: true, force: true })
  })
})

describe('`demo`', { timeout: 60_000 }, () => {
  it('takes the whole tour and behaves', async () => {
    const { code, stdout, stderr } = await runCommand('demo', [], { state: '/nonexistent' })
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
  })
})
