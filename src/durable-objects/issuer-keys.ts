import { DurableObject } from 'cloudflare:workers'
import { fetchKeySet } from '../authentication/key-fetch.ts'
import { KeyHolder, type KeySetRequest } from '../authentication/key-holder.ts'
import type { GoodSet, KeySetReply } from '../authentication/key-set.ts'

const GOOD_SET = 'good_set'

/** What is stored: a version, so that code of another age knows what it cannot read. */
interface StoredSet {
  /** 2: each key says its use. */
  readonly version: 2
  readonly good: GoodSet
}

/**
 * One object per `jwks_uri`: many isolates, one fetch. All rules are in `authentication/key-set.ts`.
 */
export class IssuerKeys extends DurableObject<Env> {
  readonly #holder: KeyHolder

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#holder = new KeyHolder({
      fetchSet: (address) => fetchKeySet(address, (url, init) => fetch(url, init)),
      save: async (good) => {
        if (good === null) await ctx.storage.delete(GOOD_SET)
        else await ctx.storage.put<StoredSet>(GOOD_SET, { version: 2, good })
      },
      report: ({ uri }, { kind, detail }) => {
        console.warn(JSON.stringify({ event: 'issuer_keys_failed', uri, kind, detail }))
      },
      now: () => Date.now(),
    })
    void ctx.blockConcurrencyWhile(async () => {
      const stored = await ctx.storage.get<StoredSet>(GOOD_SET)
      if (stored?.version === 2) this.#holder.restore(stored.good)
    })
  }

  keys(request: KeySetRequest): Promise<KeySetReply> {
    return this.#holder.keys(request)
  }
}
