import { labelsOfCall, UNKNOWN_TOOL_LABELS } from '../../pdp/tool-class.ts'
import type { Call } from '../decide.ts'
import { judge, type Judged } from '../judge.ts'
import { seeing } from '../showing.ts'

/** As long as the facts of a decision count. */
const FRESH_MS = 500

/**
 * What this actor could be allowed at this server besides the operation that is open: asked where a
 * server speaks of it by itself. By the rows as they are then, read as for a listing.
 */
export class Reach {
  readonly #call: Call
  #judged: Judged | null = null

  constructor(call: Call) {
    this.#call = call
  }

  /** As in a listing; what cannot be told is not allowed. */
  async maySee(entry: string): Promise<boolean> {
    const judged = await this.#current()
    return judged !== null && judged.refusal === null && seeing(judged, [])(entry)
  }

  /**
   * What a message may hold that belongs to no call: whatever any of the server's tools may have read.
   * null: it cannot be told.
   */
  async sources(): Promise<readonly string[] | null> {
    const judged = await this.#current()
    if (judged === null) return null
    const { server, facts } = judged
    const labels = server.tools.rows.flatMap((row) => {
      const tool = server.tools.find(row, null)
      return tool === null ? UNKNOWN_TOOL_LABELS : labelsOfCall({ ...facts, tool, targets: [] })
    })
    return [...new Set(labels)].filter((label) => label.startsWith('source.')).toSorted()
  }

  /** Whether rows look into results of some tool: then no words may run ahead of that. */
  async decidesResults(): Promise<boolean> {
    const judged = await this.#current()
    if (judged === null) return true
    const { tools } = judged.server
    return tools.rows.some((row) => tools.fields(row).results.length > 0)
  }

  async #current(): Promise<Judged | null> {
    const known = this.#judged
    if (known !== null && Date.now() - known.readAt < FRESH_MS) return known
    const { asked, caller, doors } = this.#call
    const question = { ...asked[0].question, tool: null, arguments: null, listing: true }
    const judged = await judge(question, known?.compiled ?? caller.compiled, doors.policies)
    this.#judged = judged.ok ? judged.value : null
    return this.#judged
  }
}
