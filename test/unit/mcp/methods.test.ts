// The table of methods: what each message is understood as, and what is refused. One row per way.
import { describe, expect, it } from 'vitest'
import { METHODS } from '../../../src/mcp/methods.ts'
import { understand } from '../../../src/mcp/understand.ts'
import {
  CAPABILITIES,
  MODERN,
  NONE,
  headers,
  modern,
  notification,
  parse,
  refused,
  request,
  type Cell,
  type Members,
} from './cells.ts'

const TASKS = 'io.modelcontextprotocol/tasks'
const WITH_TASKS = { [CAPABILITIES]: { extensions: { [TASKS]: {} } } }
const task = (method: string, params: Members): Members => modern(method, params, WITH_TASKS)
const complete = (ref: unknown, more: Members = {}): Members =>
  request('completion/complete', { ref, argument: { name: 'a', value: 'b' }, ...more })

const understood: readonly Cell[] = [
  [
    'a resource',
    request('resources/read', { uri: 'test://A/%2e' }),
    NONE,
    { kind: 'call', entry: 'resource:test://A/%2e', arguments: { uri: 'test://A/%2e' } },
  ],
  [
    'a resource, modern',
    modern('resources/read', { uri: 'test://ä' }),
    headers(MODERN, 'resources/read', '=?base64?dGVzdDovL8Ok?='),
    { entry: 'resource:test://ä', capabilities: {} },
  ],
  [
    'a long resource',
    request('resources/read', { uri: `test://${'x'.repeat(2041)}` }),
    NONE,
    { kind: 'call' },
  ],
  [
    'a subscription to one resource',
    request('resources/subscribe', { uri: 'test://a' }),
    NONE,
    { entry: 'resource:test://a' },
  ],
  [
    'its end',
    request('resources/unsubscribe', { uri: 'test://a' }),
    NONE,
    { entry: 'resource:test://a' },
  ],
  [
    'a prompt, by its very name',
    request('prompts/get', { name: 'resource:x', arguments: { a: '1' } }),
    NONE,
    { entry: 'prompt:resource:x', arguments: { a: '1' } },
  ],
  [
    'a completion of a prompt',
    complete({ type: 'ref/prompt', name: 'p', title: 'P' }, { context: { arguments: { c: 'd' } } }),
    NONE,
    { entry: 'prompt:p', arguments: { c: 'd', a: 'b' } },
  ],
  [
    'a completion of a template',
    complete({ type: 'ref/resource', uri: 'test://{a}' }),
    NONE,
    { entry: 'resource:test://{a}', arguments: { a: 'b' } },
  ],
  [
    'a legacy wish for a task',
    request('tools/call', { name: 't', task: { ttl: 60 } }),
    NONE,
    { kind: 'call', entry: 't' },
  ],
  [
    'which says nothing in the modern era',
    modern('tools/call', { name: 't', task: { x: 1 } }),
    headers(MODERN, 'tools/call', 't'),
    { kind: 'call', entry: 't' },
  ],
  [
    'what a directory holds',
    modern('resources/directory/read', { uri: 'skill://a/', cursor: 'n' }),
    headers(MODERN, 'resources/directory/read'),
    { kind: 'call', entry: 'resource:skill://a/', arguments: { uri: 'skill://a/' } },
  ],
  [
    'a skill',
    modern('skills/get', { uri: 'skill://a/SKILL.md' }),
    headers(MODERN, 'skills/get'),
    { kind: 'call', entry: 'resource:skill://a/SKILL.md' },
  ],
  ['skills', modern('skills/list'), headers(MODERN, 'skills/list'), { kind: 'listing' }],
  ['resources', request('resources/list'), NONE, { kind: 'listing' }],
  ['tools', request('tools/list'), NONE, { kind: 'listing' }],
  ['the end of a task', request('tasks/cancel', { taskId: '1' }), NONE, { kind: 'task' }],
  [
    'other roots',
    notification('notifications/roots/list_changed'),
    NONE,
    { kind: 'protocol', id: null },
  ],
  [
    'a further round',
    modern('tools/call', { name: 't', requestState: 's', inputResponses: { k: {} } }),
    headers(MODERN, 'tools/call', 't'),
    { resumed: { requestState: 's', inputResponses: { k: {} } } },
  ],
  [
    'prompts',
    request('prompts/list', { cursor: '' }),
    NONE,
    { kind: 'listing', method: 'prompts/list' },
  ],
  ['templates', request('resources/templates/list'), NONE, { kind: 'listing' }],
  ['a log level', request('logging/setLevel', { level: 'debug' }), NONE, { kind: 'protocol' }],
  [
    'progress of what a server asked',
    notification('notifications/progress', { progressToken: 1, progress: 0.5, message: 'm' }),
    NONE,
    { kind: 'protocol', id: null },
  ],
  [
    'what a client can do is said in the handshake',
    request('initialize', { protocolVersion: '2025-11-25', capabilities: { sampling: {} } }),
    NONE,
    { capabilities: { sampling: {} } },
  ],
  [
    'a subscription',
    modern('subscriptions/listen', {
      notifications: {
        toolsListChanged: true,
        promptsListChanged: false,
        resourceSubscriptions: ['test://a', 'test://a'],
        taskIds: ['1'],
      },
    }),
    headers(MODERN, 'subscriptions/listen'),
    { kind: 'subscription', lists: ['tools'], entries: ['resource:test://a'], taskIds: ['1'] },
  ],
  [
    'a task of 2025-11-25',
    request('tasks/get', { taskId: '1' }),
    NONE,
    { kind: 'task', taskId: '1', inputResponses: null },
  ],
  ['its result', request('tasks/result', { taskId: '1' }), NONE, { kind: 'task' }],
  ['all of them', request('tasks/list'), NONE, { kind: 'task_listing' }],
  [
    'a task of the extension',
    task('tasks/update', { taskId: '1', inputResponses: { k: { action: 'accept' } } }),
    headers(MODERN, 'tasks/update', '1'),
    { kind: 'task', inputResponses: { k: { action: 'accept' } } },
  ],
]

const refusals: readonly Cell[] = [
  ...['resource:test://a', 'prompt:p', 'client:sampling', 'client:'].map((name): Cell => [
    `no tool is named ${name}`,
    request('tools/call', { name }),
    NONE,
    { reason: 'params_invalid', detail: 'no such tool' },
  ]),
  ...[undefined, 7, '', 'test://a\n', `test://${'x'.repeat(2042)}`, ['test://a']].map(
    (uri): Cell => [
      `${String(uri).slice(0, 20)} is no uri`,
      request('resources/read', { uri }),
      NONE,
      { reason: 'params_invalid' },
    ],
  ),
  [
    'a second uri',
    request('resources/read', { uri: 'test://a', URI: 'test://b' }),
    NONE,
    { reason: 'params_invalid', detail: 'unknown member `URI`' },
  ],
  [
    'a name that the header does not copy',
    modern('resources/read', { uri: 'test://a' }),
    headers(MODERN, 'resources/read', 'test://A'),
    { reason: 'header_mismatch', era: 'modern' },
  ],
  ...[
    undefined,
    'p',
    { type: 'ref/prompt' },
    { type: 'ref/prompt', name: 'p', uri: 'test://a' },
    { type: 'ref/resource', uri: 'test://a', name: 'p' },
    { type: 'ref/tool', name: 'p' },
    { type: 'REF/prompt', name: 'p' },
  ].map((ref): Cell => [
    `a reference to ${JSON.stringify(ref)}`,
    complete(ref),
    NONE,
    { reason: 'params_invalid' },
  ]),
  [
    'an argument with more to it',
    complete(
      { type: 'ref/prompt', name: 'p' },
      { argument: { name: 'a', value: 'b', extra: 'c' } },
    ),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'a context with more to it',
    complete({ type: 'ref/prompt', name: 'p' }, { context: { arguments: {}, x: 1 } }),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'in the legacy era there are no rounds',
    request('prompts/get', { name: 'p', requestState: 's' }),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'what cannot be asked back has no answers',
    modern('completion/complete', { requestState: 's' }),
    headers(MODERN, 'completion/complete'),
    { reason: 'params_invalid', era: 'modern' },
  ],
  [
    'too many answers',
    modern('prompts/get', {
      name: 'p',
      inputResponses: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`${at}`, {}])),
    }),
    headers(MODERN, 'prompts/get', 'p'),
    { reason: 'params_invalid', era: 'modern' },
  ],
  [
    'a wish for a task with more to it',
    request('tools/call', { name: 't', task: { ttl: 1, owner: 'x' } }),
    NONE,
    { reason: 'params_invalid' },
  ],
  [
    'tasks without saying that one knows them',
    modern('tasks/get', { taskId: '1' }),
    headers(MODERN, 'tasks/get', '1'),
    { reason: 'capability_missing', required: { extensions: { [TASKS]: {} } }, era: 'modern' },
  ],
  [
    'or saying so in no object',
    modern('tasks/get', { taskId: '1' }, { [CAPABILITIES]: { extensions: { [TASKS]: true } } }),
    headers(MODERN, 'tasks/get', '1'),
    { reason: 'capability_missing', era: 'modern' },
  ],
  [
    'the extension lists nothing',
    task('tasks/list', {}),
    headers(MODERN, 'tasks/list'),
    { reason: 'method_unknown', era: 'modern' },
  ],
  [
    'nor does it wait for a result',
    task('tasks/result', { taskId: '1' }),
    headers(MODERN, 'tasks/result'),
    { reason: 'method_unknown', era: 'modern' },
  ],
  [
    'and the legacy era updates nothing',
    request('tasks/update', { taskId: '1' }),
    NONE,
    { reason: 'method_unknown' },
  ],
  [
    'a kind of notice that nobody knows',
    modern('subscriptions/listen', { notifications: { everything: true } }),
    headers(MODERN, 'subscriptions/listen'),
    { reason: 'params_invalid', era: 'modern' },
  ],
  [
    'more than are decided at once',
    modern('subscriptions/listen', {
      notifications: {
        resourceSubscriptions: Array.from({ length: 33 }, (_, at) => `test://${at}`),
      },
    }),
    headers(MODERN, 'subscriptions/listen'),
    { reason: 'params_invalid', era: 'modern' },
  ],
  [
    'legacy subscriptions are of one resource',
    request('subscriptions/listen', { notifications: {} }),
    NONE,
    { reason: 'method_unknown' },
  ],
  [
    'modern log levels are in the envelope',
    modern('logging/setLevel', { level: 'debug' }),
    headers(MODERN, 'logging/setLevel'),
    { reason: 'method_unknown', era: 'modern' },
  ],
  ...['resources/Read', 'Prompts/get', 'tools/call ', 'sampling/createMessage', 'roots/list'].map(
    (method): Cell => [
      `${method} is no method of a client's`,
      request(method, { uri: 'test://a' }),
      NONE,
      { reason: 'method_unknown' },
    ],
  ),
  [
    'a client has no status of tasks to tell',
    notification('notifications/tasks/status', { taskId: '1' }),
    NONE,
    { reason: 'method_unknown', id: null },
  ],
]

describe('a method', () => {
  it.each(understood)('%s', (_, body, given, expected) => {
    expect(understand(parse(body), given)).toMatchObject({ ok: true, value: expected })
  })

  it.each(refusals)('refuses: %s', (...cell) => {
    const { actual, expected } = refused(cell)
    expect(actual).toMatchObject(expected)
  })

  it('of each row is tried here, or where the handshake is', () => {
    const tried = new Set(understood.map(([, body]) => (body as Members)['method']))
    const elsewhere = new Set([
      'ping',
      'server/discover',
      'notifications/initialized',
      'notifications/cancelled',
    ])
    const left = Object.keys(METHODS).filter((one) => !tried.has(one) && !elsewhere.has(one))
    expect(left).toEqual([])
  })
})
