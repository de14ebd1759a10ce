import { parseArgs } from 'node:util'
import { portsFrom } from '../ports.ts'
import { startStack, untilHealthy } from '../stack.ts'
import { stateFolder, type StackRecord } from '../state.ts'
import { command } from './command.ts'
import { stopSignal } from './signals.ts'
import { styled } from './style.ts'

await command(async () => {
  const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } })
  const stack = await startStack({
    ports: portsFrom(process.env),
    state: stateFolder(process.env),
    fresh: !values.keep,
    log: (part, line) => console.error(styled('dim', `${part}: ${line}`)),
  })
  const told = stopSignal()
  try {
    if ((await Promise.race([untilHealthy(stack), told])) === 'stop') return
    console.log(summary(stack))
    console.log('ready')
    await told
  } finally {
    await stack.stop()
  }
})

function summary(stack: StackRecord): string {
  const title = (text: string): string => styled('bold', text)
  const note = (text: string): string => styled('dim', text)
  return `
${title('Sallyport')}    ${stack.sallyport}  ${note('endpoint /demo/mcp, health /healthz')}
${title('issuer')}       ${stack.issuer}  ${note('mints tokens for anybody, so only here')}
${title('demo server')}  ${stack.server}  ${note('customers and mail, /mcp')}

${title('Try, in another terminal')}

${note('# allowed: alice is in sales')}
TOKEN=$(npm run -s token -- --sub alice --client acme-agent)
${curl(stack, 'echo', '{"text":"hello"}')}

${note('# denied: bob is in support, however good his token is')}
TOKEN=$(npm run -s token -- --sub bob --client acme-agent)
${curl(stack, 'export_customers', '{"format":"csv","destination":"reports"}')}

${note('# allowed from the next call on, with the same token')}
npm run -s sql -- "INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role)
  SELECT tenant, url, 'user', 'bob', 'sales' FROM issuers WHERE tenant = 'acme'"

${note('# why')}
npm run -s sql -- "SELECT subject, tool, decision, reason FROM decisions ORDER BY decided_at DESC LIMIT 5"

${note('The whole tour: npm run demo. Stop: Ctrl-C.')}
`
}

function curl(stack: StackRecord, tool: string, args: string): string {
  return `curl -s ${stack.sallyport}/demo/mcp -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\
  -d '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":${args}}}'`
}
