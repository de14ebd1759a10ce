// The AuthZEN working group's `todo` interop scenario, read from the shared folder and never copied.
import { beforeEach, describe, expect, it } from 'vitest'
import { inThisWorld, ISSUER, sql } from '../../support/worker/world.ts'
import { ask, askMany, register } from './ask.ts'
import { readVector } from './shared.ts'

interface Users {
  readonly users: Readonly<
    Record<string, { readonly email: string; readonly roles: readonly string[] }>
  >
}

interface Asked {
  readonly request: {
    readonly action: { readonly name: string }
    readonly resource: { readonly id: string; readonly properties?: { readonly ownerID?: string } }
    readonly evaluations?: readonly Pick<Asked['request'], 'resource'>[]
  }
}

interface Single extends Asked {
  readonly expected: boolean
}

interface Batch extends Asked {
  readonly expected: readonly { readonly decision: boolean }[]
}

interface Decisions {
  readonly evaluation?: readonly Single[]
  readonly decisions?: readonly Single[]
  readonly evaluations?: readonly Batch[]
}

const people = await readVector<Users>('todo/users')
const current = await readVector<Decisions>('todo/decisions-authorization-api-1_0-02')
const before = await readVector<Decisions>('todo/decisions-authorization-api-1_0-01')
const older = [
  await readVector<Decisions>('todo/decisions-authorization-api-1_0-00'),
  await readVector<Decisions>('todo/decisions'),
]

/** Who owns which todo, as the scenario tells it; in our rows the owner is a subject, not an address. */
function ownersIn(decisions: Decisions): ReadonlyMap<string, string> {
  const ids = new Map(Object.entries(people?.users ?? {}).map(([id, { email }]) => [email, id]))
  const asked = [...(decisions.evaluation ?? []), ...(decisions.evaluations ?? [])]
  const resources = asked.flatMap(({ request }) => [
    request.resource,
    ...(request.evaluations ?? []).map(({ resource }) => resource),
  ])
  return new Map(
    resources.flatMap((resource): [string, string][] => {
      const owner = ids.get(resource?.properties?.ownerID ?? '')
      return owner === undefined ? [] : [[resource.id, owner]]
    }),
  )
}

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`

/** The rules in `users.json` as rows: actions are tools of a server, todos are resources with owners. */
async function setUp(decisions: Decisions): Promise<void> {
  const roles = Object.entries(people?.users ?? {}).flatMap(([id, user]) =>
    user.roles.map((role) => `('acme', '${ISSUER}', 'user', ${text(id)}, '${role}')`),
  )
  const todos = [...ownersIn(decisions)].map(
    ([id, owner]) => `('acme', 'todo', ${text(id)}, ${text(owner)}, '${ISSUER}')`,
  )
  const allow = (id: string, role: string, tool: string, condition = 'true') =>
    `('acme', '${id}', 'allow', '${role}', '*', '${tool}', '${condition}')`
  const own = 'targets.all(t, t.owned)'
  await sql(
    "INSERT INTO servers (name, tenant, url, internal) VALUES ('todo', 'acme', 'https://todo.example/mcp', 1)",
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES
      ('acme', 'todo', 'can_read_user', 'read', 1), ('acme', 'todo', 'can_read_todos', 'read', 1),
      ('acme', 'todo', 'can_create_todo', 'write', 1), ('acme', 'todo', 'can_update_todo', 'write', 1),
      ('acme', 'todo', 'can_delete_todo', 'destructive', 1)`,
    "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'todo')",
    `INSERT INTO resources (tenant, type, id, owner, owner_issuer) VALUES ${todos.join()}`,
    `INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type) VALUES
      ('acme', 'todo', 'can_update_todo', '/id', 'todo'), ('acme', 'todo', 'can_delete_todo', '/id', 'todo')`,
    `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ${roles.join()}`,
    `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', 'pep')`,
    'DELETE FROM policies',
    'DELETE FROM sequence_rules',
    `INSERT INTO policies (tenant, id, effect, role, agent, tool, condition) VALUES ${[
      ...['admin', 'editor', 'viewer'].map((role) => allow(`${role}-reads`, role, 'can_read_*')),
      ...['admin', 'editor'].map((role) => allow(`${role}-creates`, role, 'can_create_todo')),
      allow('evil-updates', 'evil_genius', 'can_update_todo'),
      allow('editor-updates', 'editor', 'can_update_todo', own),
      allow('admin-deletes', 'admin', 'can_delete_todo'),
      allow('editor-deletes', 'editor', 'can_delete_todo', own),
    ].join()}`,
  )
  await register({ servers: ['todo'] })
}

inThisWorld()

describe.skipIf(people === null || current === null)('the todo scenario', () => {
  const decisions = current ?? {}
  beforeEach(() => setUp(decisions))

  it('is there', () => {
    expect(decisions.evaluation).toHaveLength(40)
    expect(decisions.evaluations).toHaveLength(3)
    expect(ownersIn(decisions).size).toBeGreaterThan(2)
  })

  it.each([
    ['-02', current],
    ['-01', before],
  ])('%s: every single decision as expected', async (_, file) => {
    const evaluations = file?.evaluation ?? []
    expect(evaluations).toHaveLength(40)
    for (const { request, expected } of evaluations) {
      const reply = await ask(request)
      expect({ ...request, decision: reply.decision }).toEqual({ ...request, decision: expected })
    }
  })

  it('-02: every batch as expected', async () => {
    for (const { request, expected } of decisions.evaluations ?? []) {
      const { evaluations } = await askMany(request)
      expect(evaluations.map(({ decision }) => ({ decision }))).toEqual(expected)
    }
  })

  it('older spellings turn into no permit', async () => {
    for (const file of older) {
      const evaluations = [...(file?.evaluation ?? []), ...(file?.decisions ?? [])]
      expect(evaluations).toHaveLength(40)
      for (const { request } of evaluations) {
        const reply = await ask(request)
        expect([200, 400]).toContain(reply.status)
        expect(reply.decision ?? false).toBe(false)
      }
    }
  })

  it("whose a todo is, is for our rows to say and never for the question's own", async () => {
    const [editor] = Object.entries(people?.users ?? {}).filter(([, { roles }]) =>
      roles.includes('editor'),
    )
    const [id, { email }] = editor ?? ['', { email: '' }]
    const foreign = [...ownersIn(decisions)].find(([, owner]) => owner !== id)?.[0]
    const own = [...ownersIn(decisions)].find(([, owner]) => owner === id)?.[0]
    const claimed = (resource: object) =>
      ask({ subject: { type: 'user', id }, action: { name: 'can_update_todo' }, resource })
    const properties = { ownerID: email, owner: id, id: own, type: 'todo' }
    expect((await claimed({ type: 'todo', id: foreign, properties })).decision).toBe(false)
    expect((await claimed({ type: 'todo', id: 'made-up', properties })).decision).toBe(false)
    expect((await claimed({ type: 'todo', id: own })).decision).toBe(true)
  })
})
