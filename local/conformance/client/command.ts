/**
 * What the suite runs as the client under test. The scenario's server is on a new port each time, so
 * it asks at the door (../door.ts) for the way there: through Sallyport, or around it.
 */
import { ACTS, play, type ActContext } from './acts.ts'

const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? ''
const version = process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? ''
const door = process.env['CONFORMANCE_DOOR'] ?? ''
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as ActContext

const tell = async (path: string, body: object): Promise<string> => {
  const answer = await fetch(new URL(path, door), { method: 'POST', body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`the door: ${await answer.text()}`)
  return await answer.text()
}

const act = ACTS[scenario]
let failure: string | null = act === undefined ? 'no such act' : null
try {
  const url = await tell('/way', { server: process.argv.at(-1) })
  if (act !== undefined) await play(act, url, version, context)
} catch (error) {
  failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
await tell('/done', { failure })
process.exit(failure === null ? 0 : 1)
