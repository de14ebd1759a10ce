import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { importCommand } from '../../../src/cli/import/command.ts'
import { splitStatements } from '../../../src/cli/scratch/statements.ts'
import { startNewServer, type NewServer } from '../../support/node/mcp-server.ts'

let server: NewServer
const folder = mkdtempSync(join(tmpdir(), 'import-command-'))
beforeAll(async () => {
  server = await startNewServer()
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.stop()
})
afterEach(() => vi.restoreAllMocks())

/** What it prints. */
async function run(...args: string[]): Promise<string> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  expect(await importCommand(args)).toBe(true)
  const printed = write.mock.calls.map(([text]) => String(text)).join('')
  write.mockRestore()
  return printed
}
const PLACE = ['--server', 'weather', '--tenant', 'acme']
const tablesOf = (sql: string) =>
  splitStatements(sql).map(({ text }) => /^(?:INSERT INTO|UPDATE) (\w+)/.exec(text)?.[1])

describe('policy import', () => {
  it('prints a migration of what the server lists', async () => {
    const sql = await run(server.url, ...PLACE, '--title', 'Weather', '--internal')
    expect(tablesOf(sql)).toEqual('servers tools tool_arguments'.split(' '))
    expect(sql).toContain(`VALUES ('weather', 'acme', '${server.url}', 'Weather', 1);`)
    expect(sql).toContain("('acme', 'weather', 'forecast', 'read', 0,")
  })

  it('prints the same again', async () => {
    expect(await run(server.url, ...PLACE)).toBe(await run(server.url, ...PLACE))
  })

  it('prints no server that is there', async () => {
    const sql = await run(server.url, ...PLACE, '--existing-server')
    expect(tablesOf(sql)).toEqual('tools tool_arguments'.split(' '))
  })

  it('pins again what differs from the files', async () => {
    const file = join(folder, 'tenant.sql')
    const tenant = "INSERT INTO tenants (id) VALUES ('acme');\n"
    writeFileSync(file, tenant + (await run(server.url, ...PLACE)))
    const same = await run(server.url, ...PLACE, '--repin', '--against', file)
    expect(tablesOf(same)).toEqual([])
    const renamed = (await run(server.url, ...PLACE)).replace('of tomorrow.","', 'of today.","')
    // The pin of another text; only its form is checked by the table.
    writeFileSync(file, tenant + renamed.replace(/'[0-9a-f]{64}'/, `'${'0'.repeat(64)}'`))
    const again = await run(server.url, ...PLACE, '--repin', '--against', file)
    expect(tablesOf(again)).toEqual(['tools'])
    expect(again).toMatch(/-- {3}\/description\n-- {5}pinned: .*today.*\n-- {5}now: .*tomorrow/)
    expect(tablesOf(await run(server.url, ...PLACE, '--repin'))).toEqual(['tools'])
  })

  it.each([
    [[], /needs the URL/],
    [['https://x.example.com/mcp', '--server', 'a'], /--tenant/],
    [['https://x.example.com/mcp', '--server', 'A b', '--tenant', 't'], /--server must be/],
    [['https://x.example.com/mcp', '--server', 'a', '--tenant', "t'"], /--tenant must be/],
    [['ftp://x.example.com/', ...PLACE], /not an http url/],
    [['http://x.example.com/', ...PLACE], /over https/],
    [['https://192.168.1.1/', ...PLACE], /not a public one/],
    [['https://me:secret@x.example.com/', ...PLACE], /user information/],
    [['https://x.example.com/', 'y.sql', ...PLACE], /given with --against/],
    [['https://x.example.com/', '--against', 'y.sql', ...PLACE], /belongs to --repin/],
    [['https://x.example.com/', '--header', 'Bearer secret', ...PLACE], /must read 'Name: value'/],
    [
      ['https://x.example.com/', '--header', 'a: secret\nb: c', ...PLACE],
      /must read 'Name: value'/,
    ],
    [['http://127.0.0.1:9/?key=secret', ...PLACE], /`127\.0\.0\.1:9`: it could not be reached/],
  ])('says what is wrong with %j', async (args, message) => {
    const failed = importCommand(args).catch((error: unknown) => error)
    expect(await failed).toMatchObject({ name: 'Mistake', message: expect.stringMatching(message) })
    expect(String(await failed)).not.toContain('secret')
  })
})
