import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { registerCustomerTools } from './tools/customers.ts'
import { registerDiagnosticTools } from './tools/diagnostics.ts'
import { registerMailTools } from './tools/mail.ts'

/** Both eras from one set of tools: 2025-11-25 without sessions, and 2026-07-28. */
export const mcp = createMcpHandler(createServer, {
  legacy: 'stateless',
  // A keep-alive is a write, and only a write tells workerd that a silent client has gone.
  keepAliveMs: 1_000,
})

function createServer(): McpServer {
  const server = new McpServer(
    { name: 'demo-crm', title: 'Demo CRM', version: '1.0.0' },
    { instructions: 'Customers, their contracts and the shared sales inbox of a small company.' },
  )
  registerCustomerTools(server)
  registerMailTools(server)
  registerDiagnosticTools(server)
  return server
}
