declare namespace Cloudflare {
  interface Env {
    readonly PROPERTY_RUNS: string
    readonly TEST_MIGRATIONS: import('cloudflare:test').D1Migration[]
    readonly TEST_DECISION_MIGRATIONS: import('cloudflare:test').D1Migration[]
  }
}
