interface Bindings {
  readonly UPSTREAM: string
}

/** The least that a gateway can do: read the body, send it on, return what comes back. */
export default {
  async fetch(request, env): Promise<Response> {
    const body = await request.arrayBuffer()
    const headers = { 'content-type': 'application/json', accept: 'application/json' }
    return fetch(env.UPSTREAM, { method: 'POST', headers, body })
  },
} satisfies ExportedHandler<Bindings>
