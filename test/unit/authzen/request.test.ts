import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerInOrder, MAX_EVALUATIONS, readBatch } from '../../../src/authzen/batch.ts'
import { readAct, serverNamed, namesMethod } from '../../../src/authzen/mapping.ts'
import { readAsked, type Asked } from '../../../src/authzen/request.ts'
import { readPerson } from '../../../src/authzen/subject.ts'
import { readJson } from '../../../src/mcp/json.ts'
import type { JsonValue } from '../../../src/mcp/value.ts'
import { propertyRuns } from '../../support/property-runs.ts'

const json = (value: unknown): JsonValue => {
  const read = readJson(JSON.stringify(value) ?? 'null')
  if (!read.ok) throw new Error(read.error.detail)
  return read.value
}

const QUESTION = {
  subject: { type: 'user', id: 'alice' },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: 'note' },
}

function asked(more: Record<string, unknown> = {}): Asked {
  const read = readAsked(json({ ...QUESTION, ...more }))
  if (!read.ok) throw new Error(read.error.detail)
  return read.value
}

const NOW = Date.UTC(2026, 10, 1)

/** Everything that stands between a body and a decision without I/O. */
function understood(value: JsonValue): boolean {
  const read = readAsked(value)
  if (!read.ok) return false
  const act = readAct(read.value)
  const person = readPerson(read.value, 'pep', NOW)
  return act.ok && act.value !== 'unknown' && person.ok && person.value !== 'unknown'
}

describe('a question', () => {
  it('is understood when it is well-shaped', () => {
    expect(understood(json(QUESTION))).toBe(true)
  })

  it('is never understood when a required member is of another kind', () => {
    const paths = [
      ['subject'],
      ['action'],
      ['resource'],
      ['subject', 'type'],
      ['subject', 'id'],
      ['action', 'name'],
      ['resource', 'type'],
      ['resource', 'id'],
    ]
    const notText = fc.jsonValue().filter((value) => typeof value !== 'string')
    fc.assert(
      fc.property(fc.constantFrom(...paths), notText, ([member = '', inner], wrong) => {
        const own = QUESTION[member as keyof typeof QUESTION]
        // An object in place of an object may have all that it needs.
        fc.pre(
          inner !== undefined ||
            typeof wrong !== 'object' ||
            wrong === null ||
            Array.isArray(wrong),
        )
        const value = inner === undefined ? wrong : { ...own, [inner]: wrong }
        expect(understood(json({ ...QUESTION, [member]: value }))).toBe(false)
      }),
      propertyRuns(2_000),
    )
  })

  it('is read or refused whatever it is, and never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const read = readAsked(json(value))
        expect(read.ok || read.error.detail !== '').toBe(true)
        expect(typeof readBatch(json(value)).ok).toBe('boolean')
      }),
      propertyRuns(2_000),
    )
  })
})

describe('action and resource', () => {
  const cells: readonly [name: string, resource: object, expected: unknown][] = [
    ['tools/call', { type: 'tool', id: 'note' }, { method: 'tools/call', tool: 'note' }],
    ['tools/call', { type: 'mcp_server', id: 'crm' }, 'malformed'],
    ['tools/list', { type: 'mcp_server', id: 'crm' }, { method: 'tools/list', tool: null }],
    ['tools/list', { type: 'tool', id: 'note' }, 'malformed'],
    ['ping', { type: 'mcp_server', id: 'crm' }, { method: 'ping', tool: null }],
    ['ping', { type: 'todo', id: '1' }, 'malformed'],
    [
      'resources/read',
      { type: 'resource', id: 'x:y' },
      { method: 'resources/read', tool: 'resource:x:y', arguments: { uri: 'x:y' } },
    ],
    ['resources/read', { type: 'tool', id: 'resource:x:y' }, 'malformed'],
    ['tools/call', { type: 'tool', id: 'resource:x:y' }, 'malformed'],
    ['prompts/get', { type: 'prompt', id: 'p' }, { method: 'prompts/get', tool: 'prompt:p' }],
    ['completion/complete', { type: 'resource', id: 'x:{y}' }, { tool: 'resource:x:{y}' }],
    ['completion/complete', { type: 'tool', id: 'note' }, 'malformed'],
    ['tasks/get', { type: 'task', id: '1' }, 'unknown'],
    ['subscriptions/listen', { type: 'mcp_server', id: 'crm' }, 'unknown'],
    ['prompt:p', { type: 'todo', id: '1' }, 'malformed'],
    ['Tools/Call', { type: 'tool', id: 'note' }, 'unknown'],
    ['/', { type: 'mcp_server', id: 'crm' }, 'unknown'],
    ['read', { type: 'todo', id: '1' }, { tool: 'read', arguments: { type: 'todo', id: '1' } }],
    [
      'read',
      { type: 'todo', id: '1', properties: { id: '2', type: 'x', more: 3 } },
      { tool: 'read', arguments: { type: 'todo', id: '1', more: 3 } },
    ],
    ['constructor', { type: 'todo', id: '1' }, { tool: 'constructor' }],
  ]
  it.each(cells)('%s of %j', (name, resource, expected) => {
    const act = readAct(asked({ action: { name }, resource }))
    expect({ is: act.ok ? act.value : act.error.kind }).toMatchObject({ is: expected })
  })

  it('a name is a method or a tool, never both', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 20 }), (name) => {
        fc.pre(!name.includes('/') && !['ping', 'initialize'].includes(name))
        expect(namesMethod(name)).toBe(false)
      }),
      propertyRuns(1_000),
    )
  })

  it('arguments are told once, or not at all', () => {
    const given = { x: 1 }
    const context = { arguments: given }
    const action = { name: 'tools/call', properties: { arguments: given } }
    expect(readAct(asked({ context }))).toMatchObject({ value: { argumentsUnknown: false } })
    expect(readAct(asked({ action }))).toMatchObject({ value: { arguments: given } })
    expect(readAct(asked())).toMatchObject({ value: { arguments: {}, argumentsUnknown: true } })
    expect(readAct(asked({ action, context })).ok).toBe(false)
  })

  it.each([
    [
      {
        resource: { type: 'tool', id: 'x', properties: { server: 'a' } },
        context: { server: 'b' },
      },
      'a',
    ],
    [{ resource: { type: 'mcp_server', id: 'a' }, context: { server: 'b' } }, 'a'],
    [{ resource: { type: 'mcp_server', id: 'https://s.example/a/mcp' } }, 'a'],
    [
      { resource: { type: 'mcp_server', id: 'https://s.example/a/b/mcp' } },
      'https://s.example/a/b/mcp',
    ],
    [
      { resource: { type: 'mcp_server', id: 'https://s.example.evil/a/mcp' } },
      'https://s.example.evil/a/mcp',
    ],
    [{ context: { server: 'b' } }, 'b'],
    [{}, null],
  ])('the server of %j', (more, expected) => {
    expect(serverNamed(asked(more), ['https://s.example'])).toEqual({ ok: true, value: expected })
  })
})

describe('the subject', () => {
  const person = (subject: object, context: object = {}) =>
    readPerson(asked({ subject, context }), 'pep', NOW)
  const wrong: readonly [why: string, subject: object][] = [
    ['a person that is its own client', { type: 'user', id: 'pep' }],
    [
      'a person that is the client it names',
      { type: 'user', id: 'a', properties: { client: 'a' } },
    ],
    ['a workload with another client', { type: 'workload', id: 'a', properties: { client: 'b' } }],
    ['an agent that is the subject', { type: 'user', id: 'a', properties: { agent: 'a' } }],
    [
      'a login in the future',
      { type: 'user', id: 'a', properties: { auth_time: NOW / 1000 + 61 } },
    ],
    ['a login that is null', { type: 'user', id: 'a', properties: { auth_time: null } }],
    ['scopes twice', { type: 'user', id: 'a', properties: { scope: '', scopes: [] } }],
    ['scopes that are no texts', { type: 'user', id: 'a', properties: { scopes: [1] } }],
    ['an empty agent', { type: 'user', id: 'a', properties: { agent: '' } }],
  ]
  it.each(wrong)('is refused: %s', (_, subject) => {
    expect(person(subject).ok).toBe(false)
  })

  it('has the client that is named, or COAZ names, or nobody names', () => {
    const clientOf = (read: ReturnType<typeof person>) =>
      read.ok && read.value !== 'unknown' ? read.value.client : 'none'
    const named = { type: 'user', id: 'a', properties: { client: 'c' } }
    expect(clientOf(person(named, { agent: 'd' }))).toBe('c')
    expect(clientOf(person({ type: 'identity', id: 'a' }, { agent: 'd' }))).toBe('d')
    expect(clientOf(person({ type: 'user', id: 'a' }))).toBe(null)
    expect(clientOf(person({ type: 'client', id: 'a' }))).toBe('a')
  })

  it('of an unknown type is nobody', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 20 }), (type) => {
        fc.pre(!['user', 'identity', 'workload', 'client'].includes(type))
        fc.pre(readAsked(json({ ...QUESTION, subject: { type, id: 'a' } })).ok)
        expect(person({ type, id: 'a' })).toEqual({ ok: true, value: 'unknown' })
      }),
      propertyRuns(500),
    )
  })
})

describe('a batch', () => {
  const batch = (more: object) => readBatch(json({ ...QUESTION, ...more }))

  it('replaces defaults as wholes', () => {
    const subject = { type: 'user', id: 'a', properties: { client: 'c' } }
    const read = batch({
      subject,
      context: { server: 's' },
      evaluations: [{ subject: { type: 'user', id: 'b' } }, { context: {} }],
    })
    const questions = read.ok && read.value !== null ? read.value.questions : []
    expect(questions).toMatchObject([
      { value: { subject: { id: 'b', properties: {} }, context: { server: 's' } } },
      { value: { subject, context: {} } },
    ])
    const [first] = questions
    expect(first?.ok === true && 'client' in first.value.subject.properties).toBe(false)
  })

  it.each([
    ['no list', { evaluations: {} }],
    ['too long a list', { evaluations: Array(MAX_EVALUATIONS + 1).fill({}) }],
    ['a default of another kind', { subject: 'a', evaluations: [QUESTION] }],
    ['options of another kind', { options: [], evaluations: [QUESTION] }],
    ['an unknown semantic', { options: { evaluations_semantic: 'toString' }, evaluations: [{}] }],
    ['a semantic that is no text', { options: { evaluations_semantic: null }, evaluations: [{}] }],
  ])('is refused as a whole: %s', (_, more) => {
    expect(batch(more).ok).toBe(false)
  })

  it('answers in order, up to what ends it, and never more than was asked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 1, maxLength: MAX_EVALUATIONS }),
        fc.constantFrom('execute_all', 'deny_on_first_deny', 'permit_on_first_permit'),
        async (decisions, semantic) => {
          const read = batch({
            evaluations: decisions.map((_, at) => ({ resource: { type: 'tool', id: `t${at}` } })),
            options: { evaluations_semantic: semantic },
          })
          if (!read.ok || read.value === null) throw new Error('not read')
          const order: string[] = []
          const answers = await answerInOrder(read.value, async (question) => {
            const id = question.ok ? question.value.resource.id : ''
            order.push(id)
            return { decision: decisions[Number(id.slice(1))] ?? false }
          })
          const ends = {
            execute_all: null,
            deny_on_first_deny: false,
            permit_on_first_permit: true,
          }
          const end = decisions.findIndex((one) => one === ends[semantic])
          const expected = end < 0 ? decisions : decisions.slice(0, end + 1)
          expect(answers.map(({ decision }) => decision)).toEqual(expected)
          expect(order).toEqual(expected.map((_, at) => `t${at}`))
        },
      ),
      propertyRuns(500),
    )
  })
})
