import { parseArgs } from 'node:util'
import { readJson } from '../../mcp/json.ts'
import { isJsonObject, type JsonObject } from '../../mcp/value.ts'
import { scopesOf } from '../../pdp/tools.ts'
import { Mistake } from '../mistake.ts'
import { orDefaultFolder } from '../scratch/sources.ts'
import { decideCall } from './decide.ts'
import { explain } from './explain.ts'
import { openDatabase } from './open.ts'

const text = { type: 'string' } as const
const REQUIRED = ['tenant', 'server', 'tool', 'subject', 'client'] as const

/** It has answered the question, whatever the answer is: exit 0. */
export function explainCommand(args: readonly string[]): boolean {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      tenant: text,
      server: text,
      tool: text,
      subject: text,
      client: text,
      agent: text,
      args: text,
      scopes: text,
    },
  })
  const { tenant, server, tool, subject, client } = values
  if (!tenant || !server || !tool || !subject || !client) {
    const missing = REQUIRED.filter((name) => !values[name]).map((name) => `--${name}`)
    throw new Mistake(`explain needs ${missing.join(' ')}`)
  }
  const database = openDatabase(orDefaultFolder(positionals))
  const decision = decideCall(database, {
    tenant,
    server,
    tool,
    arguments: readArguments(values.args ?? '{}'),
    subject,
    roles: null,
    client,
    agent: values.agent ?? null,
    scopes: values.scopes === undefined ? null : scopesOf(values.scopes),
    history: [],
  })
  for (const line of explain(decision)) console.log(line)
  return true
}

function readArguments(json: string): JsonObject {
  const read = readJson(json)
  if (!read.ok) throw new Mistake(`--args is not JSON: ${read.error.detail}`)
  if (!isJsonObject(read.value)) throw new Mistake('--args must be a JSON object')
  return read.value
}
