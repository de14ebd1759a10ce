import type { DecisionRefusal } from '../pdp/refusal.ts'
import type { SessionStep } from './session-protocol.ts'

/** How long an equal refusal is counted on the first one's record. */
const WINDOW_MS = 60_000
const MAX_REMEMBERED = 256

export interface RememberedRefusal {
  readonly decision: string
  readonly outboxId: number
}

/**
 * The refusals of the last minute by what was refused, so that a loop that asks the same thing a
 * thousand times leaves one record with a count. In memory only: forgetting costs one more record.
 */
export class RefusalMemory {
  readonly #known = new Map<string, RememberedRefusal & { readonly until: number }>()

  find(key: string, now: number): RememberedRefusal | null {
    const known = this.#known.get(key)
    return known !== undefined && now < known.until ? known : null
  }

  add(key: string, refusal: RememberedRefusal, now: number): void {
    this.#known.delete(key)
    this.#known.set(key, { ...refusal, until: now + WINDOW_MS })
    if (this.#known.size > MAX_REMEMBERED) {
      const [oldest] = this.#known.keys()
      if (oldest !== undefined) this.#known.delete(oldest)
    }
  }
}

/** What makes two refusals the same one, asked for again. */
export function sameness(request: SessionStep, refusal: DecisionRefusal): string {
  const { server, method, tool } = request.columns
  return JSON.stringify([
    request.actorKey,
    JSON.stringify(refusal),
    server,
    method,
    tool,
    request.argumentsKey,
  ])
}
