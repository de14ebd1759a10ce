/** What the tests were started with: Node's environment, or what the Worker's tests are bound to. */
interface Wishes {
  readonly PROPERTY_RUNS?: string | undefined
  readonly PROPERTY_SEED?: string | undefined
}

const environment = (globalThis as { process?: { env: Wishes } }).process?.env ?? {}

/**
 * How often a property is tried: whole with `npm run test:full`, a tenth of it otherwise. The seed
 * is printed, and can be given back by `PROPERTY_SEED`.
 */
export function propertyRuns(
  whole: number,
  wishes: Wishes = environment,
): { numRuns: number; seed: number } {
  const numRuns = wishes.PROPERTY_RUNS === 'full' ? whole : Math.max(10, Math.floor(whole / 10))
  const seed = Number(wishes.PROPERTY_SEED ?? Date.now() % 2_147_483_647)
  console.log(`property: ${numRuns} runs, seed ${seed}`)
  return { numRuns, seed }
}
