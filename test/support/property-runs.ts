/**
 * How often a property is tried: whole with `npm run test:full`, a tenth of it otherwise. The seed
 * is printed with every failure, and can be given back by `PROPERTY_SEED`.
 */
export function propertyRuns(whole: number): { numRuns: number; seed: number } {
  const asked = process.env['PROPERTY_RUNS']
  const numRuns = asked === 'full' ? whole : Math.max(10, Math.floor(whole / 10))
  const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2_147_483_647)
  console.log(`property: ${numRuns} runs, seed ${seed}`)
  return { numRuns, seed }
}
