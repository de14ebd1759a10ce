import { compileRules, type RuleSet } from '../pdp/sequence/advance.ts'
import type { SequenceRuleRow } from '../pdp/sequence/rule.ts'
import { KEPT_FOR, keptNames, labelling, retell, type KeptFor } from './retell.ts'
import type { AdmitRequest, SeenTool } from './session-protocol.ts'
import type { SessionStore, Step } from './session-store.ts'

/** The rules that a session was told last, and a history that has what they ask for. */
export class SessionRules {
  readonly #store: SessionStore
  /** Takes along what waits for a write. */
  readonly #write: (step: Step) => void
  #rules: RuleSet | null = null
  /** null: nobody can say, and it has to be told anew. */
  #kept: KeptFor | null

  constructor(store: SessionStore, write: (step: Step) => void) {
    this.#store = store
    this.#write = write
    this.#kept = store.settings.get<KeptFor | null>(KEPT_FOR) ?? null
  }

  /**
   * The rules of this revision, with a history that has what they ask for; or what has to be sent
   * first. INVARIANT: a rule that is new, and a tool that is labelled anew, find what was before them.
   */
  forCall(request: AdmitRequest): RuleSet | { readonly tools: readonly SeenTool[] } {
    const { rulesKey, labelsKey, rows } = request
    const kept = this.#kept
    const known = this.latest()
    if (kept?.labelsKey === labelsKey && known.revision === rulesKey) return known
    const seen = this.#store.log.seenTools()
    const sameLabels = kept?.labelsKey === labelsKey || seen.length === 0
    const tools = sameLabels ? [] : seen
    if (rows === null || !coversAll(rows.tools, tools)) return { tools }
    const rules = compileRules(rulesKey, rows.rules)
    const needs: KeptFor = {
      kept: keptNames(rules, rows.rules),
      origins: rules.reads.origins,
      labelsKey,
    }
    const isNew = this.#store.log.lastSequence === 0
    const mustRetell = kept === null || !sameLabels || !includesAll(kept.kept, needs.kept)
    const keep = (): void => {
      this.#store.settings.set(KEPT_FOR, needs)
      this.#keepRules(rulesKey, rows.rules)
    }
    if (mustRetell && !isNew) {
      // The commits that wait belong to the history that is told.
      this.#write({})
      retell(this.#store, rules, sameLabels ? null : labelling(rows.tools), keep)
    } else {
      this.#write({ also: keep })
    }
    if (needs.origins && kept?.origins !== true && !isNew) this.#forgetSeen()
    this.#kept = needs
    this.#rules = rules
    return rules
  }

  /** For an object that wakes before a call brings them: what is denied or ends then counts too. */
  #keepRules(key: string, rows: readonly SequenceRuleRow[]): void {
    const kept = { key, rows }
    const isLong = JSON.stringify(kept).length > MAX_KEPT_RULES
    this.#store.settings.set(RULES, isLong ? null : kept)
    // Nobody could say what was kept meanwhile: told anew, then.
    if (isLong) this.#store.settings.set(KEPT_FOR, null)
  }

  latest(): RuleSet {
    if (this.#rules !== null) return this.#rules
    const kept = this.#store.settings.get<KeptRules | null>(RULES) ?? null
    if (kept === null) return UNTOLD
    this.#rules = compileRules(kept.key, kept.rows)
    return this.#rules
  }

  /** Results went by that nobody read for the sake of origins. */
  #forgetSeen(): void {
    const flags = this.#store.memory.flags()
    this.#write({
      changes: [{ kind: 'flag', key: {}, value: { ...flags, forgotSeen: true } }],
    })
  }
}

const RULES = 'rules'
/** Well below what one value may hold. */
const MAX_KEPT_RULES = 1_000_000

interface KeptRules {
  readonly key: string
  readonly rows: readonly SequenceRuleRow[]
}

/** Of a session that no call has brought any rules to. Of every label it may matter how it ended. */
const UNTOLD: RuleSet = {
  ...compileRules('', []),
  clearing: { has: () => true, size: Infinity } as unknown as ReadonlySet<string>,
}

const includesAll = (all: readonly string[], some: readonly string[]): boolean =>
  some.every((one) => all.includes(one))

const coversAll = (
  rows: readonly { readonly tool: SeenTool }[],
  tools: readonly SeenTool[],
): boolean => {
  const named = new Set(rows.map(({ tool }) => JSON.stringify(tool)))
  return tools.every((tool) => named.has(JSON.stringify(tool)))
}
