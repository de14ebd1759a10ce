import { app } from './app.ts'

export { IssuerKeys } from './durable-objects/issuer-keys.ts'
export { Session } from './durable-objects/session.ts'

export default { fetch: app.fetch } satisfies ExportedHandler<Env>
