import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { INBOX } from '../mail.ts'
import { store } from '../store.ts'
import { structured } from './result.ts'

const inboxInput = z.object({
  limit: z.int().min(1).max(50).optional().describe('At most this many messages, newest first'),
})
const inboxOutput = z.object({
  messages: z.array(
    z.object({ id: z.string(), from: z.string(), subject: z.string(), body: z.string() }),
  ),
})

const sendInput = z.object({
  to: z.array(z.email()).min(1).max(50).describe('Email addresses of the recipients'),
  subject: z.string(),
  body: z.string().describe('Plain text'),
})
const sendOutput = z.object({ id: z.string(), recipients: z.int() })

export function registerMailTools(server: McpServer): void {
  server.registerTool(
    'read_inbox',
    {
      title: 'Read inbox',
      description:
        'Returns the newest messages of the shared sales inbox, written by people outside the company.',
      inputSchema: inboxInput,
      outputSchema: inboxOutput,
      annotations: { readOnlyHint: true, openWorldHint: true },
    },
    ({ limit }) => structured({ messages: INBOX.slice(0, limit) }),
  )

  server.registerTool(
    'send_email',
    {
      title: 'Send email',
      description: 'Sends an email from the shared sales address. Recipients may be anyone.',
      inputSchema: sendInput,
      outputSchema: sendOutput,
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    },
    ({ to, subject, body }) => {
      const id = `S-${store.outbox.length + 1}`
      store.outbox.push({ id, to, subject, body })
      return structured({ id, recipients: to.length })
    },
  )
}
