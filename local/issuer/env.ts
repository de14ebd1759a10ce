import type { Settings } from './config.ts'
import type { IssuerState } from './state.ts'

export interface Env extends Settings {
  ISSUER_STATE: DurableObjectNamespace<IssuerState>
}
