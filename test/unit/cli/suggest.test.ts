import { describe, expect, it } from 'vitest'
import { suggest } from '../../../src/cli/import/suggest.ts'
import { readJson } from '../../../src/mcp/json.ts'
import { isJsonObject, type JsonObject } from '../../../src/mcp/value.ts'
import { ACCESS } from '../../../src/pdp/evaluation.ts'

const text = { type: 'string' }
const texts = { type: 'array', items: text }

function tool(
  name: string,
  description: string,
  properties: object,
  more: object = {},
): JsonObject {
  const whole = { name, description, inputSchema: { type: 'object', properties }, ...more }
  const read = readJson(JSON.stringify(whole))
  if (!read.ok || !isJsonObject(read.value)) throw new Error('an object was expected')
  return read.value
}
const argumentsOf = (one: JsonObject): Record<string, string> =>
  Object.fromEntries(suggest(one).arguments.map(({ pointer, role }) => [pointer, role]))

/** Name, description, properties, class of access, labels among others. All invented. */
const CASES: readonly (readonly [string, string, object, string, string])[] = [
  [
    'list_invoices',
    'Lists the invoices of a month.',
    { month: text },
    'read',
    'source.bulk source.confidential',
  ],
  [
    'getOrderStatus',
    'Returns the status of one order.',
    { orderId: text },
    'read',
    'source.confidential',
  ],
  [
    'read-mailbox',
    'Reads the newest mails.',
    { limit: { type: 'integer' } },
    'read',
    'source.untrusted source.confidential',
  ],
  ['searchWeb', 'Searches the internet.', { query: text }, 'read', 'source.untrusted source.bulk'],
  [
    'fetch_page',
    'Fetches a web page.',
    { url: { type: 'string', format: 'uri' } },
    'read',
    'sink.fetch sink.external_send source.untrusted',
  ],
  ['list_deleted_items', 'Lists what was deleted.', {}, 'read', 'source.bulk'],
  ['get_comment', 'Shows one comment of a discussion.', { id: text }, 'read', 'source.untrusted'],
  ['list_shares', 'Lists shares.', {}, 'read', 'source.bulk'],
  ['create_task', 'Adds a task to a list.', { title: text }, 'write', ''],
  [
    'sendInvitation',
    'Sends an invitation by mail.',
    { email: text },
    'write',
    'sink.external_send',
  ],
  [
    'post_to_channel',
    'Posts a text to a chat channel.',
    { channel: text, text },
    'write',
    'sink.external_send',
  ],
  ['get_or_create_folder', 'Finds the folder, or makes it.', { name: text }, 'write', ''],
  [
    'pay_bill',
    'Pays an open bill.',
    { iban: text, amount: { type: 'number' } },
    'write',
    'sink.payment',
  ],
  ['book_flight', 'Books a seat.', { flight: text }, 'write', 'sink.payment'],
  ['list_books', 'Lists books of the library.', {}, 'read', 'source.bulk'],
  [
    'export_ledger',
    'Exports the ledger as CSV.',
    { destination: text },
    'export',
    'source.bulk sink.external_send',
  ],
  [
    'download_archive',
    'Downloads all documents at once.',
    {},
    'export',
    'source.bulk source.confidential',
  ],
  [
    'share_folder',
    'Shares a folder with someone.',
    { folder: text, email: text },
    'export',
    'sink.external_send',
  ],
  ['grant_role', 'Gives a user another role.', { user: text, role: text }, 'admin', ''],
  ['rotate_signing_key', 'Makes a new key.', { key_id: text }, 'admin', ''],
  ['deploy_release', 'Deploys a release to production.', { version: text }, 'admin', 'sink.deploy'],
  ['remove_member', 'Takes a member off the team.', { member: text }, 'destructive', ''],
  ['find_and_purge', 'Finds old records and purges them.', { filter: text }, 'destructive', ''],
  ['cancel_booking', 'Cancels a booking.', { booking_id: text }, 'destructive', ''],
  [
    'save_file',
    'Writes a file. An existing file will be overwritten.',
    { path: text, data: text },
    'destructive',
    '',
  ],
  ['cleanup', 'Permanently deletes everything that is old.', {}, 'destructive', ''],
  [
    'run_query',
    'Runs SQL on the warehouse.',
    { query: text },
    'destructive',
    'sink.command source.untrusted source.confidential',
  ],
  [
    'terminal',
    'A shell on the host.',
    { command: text },
    'destructive',
    'sink.command sink.external_send',
  ],
  [
    'manage_tickets',
    'Works with tickets.',
    { action: { enum: ['list', 'close', 'delete'] } },
    'destructive',
    '',
  ],
  ['sync_folder', 'Copies a folder.', { recursive: { type: 'boolean' } }, 'destructive', ''],
  ['set_password', 'Changes a password.', { password: text }, 'write', 'sink.privileged'],
  [
    'frobnicate',
    'Frobs the frob.',
    { frob: text },
    'write',
    'source.untrusted source.confidential sink.external_send',
  ],
  [
    'zorb',
    'It never deletes anything.',
    {},
    'write',
    'source.untrusted source.confidential sink.external_send',
  ],
]

describe('suggestions', () => {
  it.each(CASES)('%s: %s', (name, description, properties, access, labels) => {
    const suggestion = suggest(tool(name, description, properties))
    expect(suggestion.access).toBe(access)
    expect(suggestion.labels).toEqual(
      expect.arrayContaining(labels.split(' ').filter((label) => label !== '')),
    )
  })

  it('are labels that the table takes', () => {
    for (const [name, description, properties] of CASES) {
      for (const label of suggest(tool(name, description, properties)).labels) {
        expect(label).toMatch(/^(?:source|sink)\.[a-z_]+$/)
      }
    }
  })
})

describe('annotations', () => {
  const innocent = {
    annotations: { readOnlyHint: true, destructiveHint: false, openWorldHint: false },
  }

  it.each(CASES)('make nothing less dangerous: %s', (name, description, properties) => {
    const plain = suggest(tool(name, description, properties))
    expect(suggest(tool(name, description, properties, innocent))).toEqual(plain)
  })

  it.each([
    ['get_item', { destructiveHint: true }, 'destructive'],
    ['get_item', { readOnlyHint: false }, 'write'],
    ['get_item', { destructiveHint: false, readOnlyHint: false }, 'write'],
    ['frobnicate', { readOnlyHint: true }, 'write'],
    ['delete_all', { readOnlyHint: true, destructiveHint: true }, 'destructive'],
  ])('of %s: %j', (name, annotations, access) => {
    expect(suggest(tool(name, '', {}, { annotations })).access).toBe(access)
  })

  it('that admit an open world make its answers untrusted', () => {
    const admitted = tool('get_item', '', {}, { annotations: { openWorldHint: true } })
    expect(suggest(admitted).labels).toContain('source.untrusted')
  })

  it.each(['title', 'description'])('cannot be played by a %s that sounds harmless', (member) => {
    const disguised = tool('delete_all', '', {}, { [member]: 'Lists things. Read-only, safe.' })
    expect(suggest(disguised).access).toBe('destructive')
  })
})

describe('arguments', () => {
  it('are named by pointer, elements of lists and members of members too', () => {
    const mail = tool(
      'send_mail',
      'Sends a mail.',
      {
        to: texts,
        cc: { anyOf: [text, texts] },
        body: text,
        urgent: { type: 'boolean' },
        copies: { type: 'integer' },
        at: { type: 'string', format: 'date-time' },
        options: {
          type: 'object',
          properties: { 'reply/to': text, api_key: text, kind: { enum: ['a'] } },
        },
        attachments: { type: 'array', items: { $ref: '#/$defs/file' } },
      },
      {},
    )
    const withDefs = {
      ...mail,
      inputSchema: {
        ...(mail['inputSchema'] as JsonObject),
        $defs: { file: { type: 'object', properties: { name: text, content: text } } },
      },
    } as unknown as JsonObject
    expect(argumentsOf(withDefs)).toEqual({
      '/to/*': 'target',
      '/cc': 'target',
      '/cc/*': 'target',
      '/body': 'content',
      '/options/reply~1to': 'target',
      '/options/api_key': 'credential',
      '/attachments/*/name': 'target',
      '/attachments/*/content': 'content',
    })
  })

  it('of one that reads choose, and of one that acts are acted on', () => {
    expect(argumentsOf(tool('get_file', '', { path: text }))).toEqual({ '/path': 'selector' })
    expect(argumentsOf(tool('delete_file', '', { path: text }))).toEqual({ '/path': 'target' })
  })

  it.each([
    [{ page_token: text }, 'selector', 'it pages'],
    [{ access_token: text }, 'credential', 'it opens'],
    [{ secret: { type: 'string', format: 'password' } }, 'credential', 'its format'],
    [{ zip_code: text }, 'selector', 'a code that is not run'],
    [{ python_code: text }, 'command', 'a code that is run'],
    [{ query: { type: 'string', description: 'A Cypher query' } }, 'command', 'a language'],
    [{ query: { type: 'string', description: 'Words to look for' } }, 'selector', 'words'],
    [{ contact: { type: 'string', format: 'email' } }, 'target', 'its format'],
    [{ user_id: { type: 'integer' } }, 'selector', 'a number that names something'],
  ])('%j is a %s: %s', (properties, role, _why) => {
    expect(Object.values(argumentsOf(tool('get_thing', '', properties)))).toEqual([role])
  })

  it('end, however a schema is built', () => {
    const circular = { $ref: '#/properties/a' }
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`p${at}`, text]))
    const bushy = { anyOf: Array.from({ length: 200 }, () => ({ $ref: '#/properties/b' })) }
    const startedAt = performance.now()
    const given = suggest(
      tool('x'.repeat(100_000), 'delete '.repeat(100_000), { a: circular, b: bushy, ...wide }),
    ).arguments
    expect(given.length).toBeLessThanOrEqual(200)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })

  it.each([null, 1, 'x', [], { properties: [] }, { properties: { a: 1 } }, { type: ['x', 1] }])(
    'are none in %j, and the tool still has a class',
    (inputSchema) => {
      const given = suggest(tool('get_thing', '', {}, { inputSchema }))
      expect([ACCESS.includes(given.access), given.arguments]).toEqual([true, []])
    },
  )
})
