import type { McpServer, ServerContext } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { structured } from './result.ts'

const echoInput = z.object({ text: z.string() })

const countInput = z.object({
  upTo: z.int().min(1).max(1_000),
  delayMs: z.int().min(0).max(10_000).optional().describe('Pause before each step, default 20'),
})
const countOutput = z.object({ counted: z.int() })

export function registerDiagnosticTools(server: McpServer): void {
  server.registerTool(
    'echo',
    {
      title: 'Echo',
      description: 'Returns the text that it was given.',
      inputSchema: echoInput,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ text }) => ({ content: [{ type: 'text', text }] }),
  )

  server.registerTool(
    'slow_count',
    {
      title: 'Slow count',
      description:
        'Counts up to a number and reports progress at each step, if a progress token was sent.',
      inputSchema: countInput,
      outputSchema: countOutput,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ upTo, delayMs = 20 }, context) => {
      let counted = 0
      while (counted < upTo && !context.mcpReq.signal.aborted) {
        await scheduler.wait(delayMs)
        counted += 1
        await reportProgress(context, counted, upTo)
      }
      return structured({ counted })
    },
  )
}

/** Progress may be sent only to who asked for it, under the token they chose. */
async function reportProgress(context: ServerContext, progress: number, total: number) {
  const progressToken = context.mcpReq._meta?.progressToken
  if (progressToken === undefined) return
  await context.mcpReq.notify({
    method: 'notifications/progress',
    params: { progressToken, progress, total, message: `${progress} of ${total}` },
  })
}
