/** A column that should hold a JSON list of texts: the texts, and whether there is anything else. */
export function textsOf(json: string): {
  readonly texts: readonly string[]
  readonly pure: boolean
} {
  const parsed: unknown = JSON.parse(json)
  const list: readonly unknown[] = Array.isArray(parsed) ? parsed : []
  const texts = list.filter((part) => typeof part === 'string')
  return { texts, pure: Array.isArray(parsed) && texts.length === list.length }
}
