/**
 * An MCP server that does nothing: it answers every request with one text, at once. What is measured
 * is then the gateway and not the server behind it. One that passes its clients' tokens on is not measured.
 */
export default {
  async fetch(request: Request): Promise<Response> {
    if (request.headers.has('authorization')) return new Response(null, { status: 401 })
    const { id } = await request.json<{ id: number }>()
    const result = { content: [{ type: 'text', text: 'done' }] }
    return Response.json({ jsonrpc: '2.0', id, result })
  },
} satisfies ExportedHandler
