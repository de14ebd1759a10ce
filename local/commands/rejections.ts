/**
 * Writes docs/rejections.md from the sheet that test/worker/pep/rejections.test.ts tries; with
 * `--check` it only says whether the page is the one that the sheet gives.
 */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ELSEWHERE, REJECTIONS, type Row } from '../../test/support/rejections/sheet.ts'
import { LocalProblem } from '../problem.ts'
import { PROJECT } from '../state.ts'
import { command } from './command.ts'

const PAGE = join(PROJECT, 'docs/rejections.md')

await command(async () => {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
  for (const { reason, where } of ELSEWHERE) {
    if (!existsSync(join(PROJECT, where))) {
      throw new LocalProblem(`\`${reason}\` is said to be tried in ${where}, which is not there`)
    }
  }
  const wanted = page()
  if (!values.check) return await writeFile(PAGE, wanted)
  const written = await readFile(PAGE, 'utf8').catch(() => '')
  if (written !== wanted) {
    throw new LocalProblem(
      'docs/rejections.md is not up to date: node local/commands/rejections.ts',
    )
  }
})

function table(rows: readonly (readonly (string | number)[])[]): string {
  const cell = (text: string | number): string => String(text).replaceAll('|', '\\|')
  return rows.map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n')
}

function rowOf({ step, what, ask, status, rpc, code }: Row): (string | number)[] {
  return [step, what, ask.era ?? 'legacy', status, rpc, `\`${code}\``, 'nothing']
}

function page(): string {
  return `<!-- Written by local/commands/rejections.ts. Edit test/support/rejections. -->

# Rejections

What is refused before anything is forwarded, row by row as \`test/worker/pep/rejections.test.ts\` sends it: one request, the step that stops it, what the client receives, and what the upstream saw. The steps come in this order, and the first one that objects answers. What each code means and what to do about it is in [refusals.md](refusals.md).

*Era* is what the request claims to be: *modern* is MCP 2026-07-28, *legacy* everything before it. *JSON-RPC* is the code of the error, or *tool result* where the model gets to read the refusal.

${table([
  ['step', 'request', 'era', 'HTTP', 'JSON-RPC', 'code', 'the upstream saw'],
  ['---', '---', '---', '---', '---', '---', '---'],
  ...REJECTIONS.map(rowOf),
])}

## Tried elsewhere

These need more than one request and a row of SQL: a history, an outage, a proof of possession. The type of the sheet knows every reason, so that none is forgotten.

${table([
  ['step', 'reason', 'tried in'],
  ['---', '---', '---'],
  ...ELSEWHERE.map(({ step, reason, where }) => [step, `\`${reason}\``, `\`${where}\``]),
])}
`
}
