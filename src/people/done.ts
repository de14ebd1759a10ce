// What was just done, told after the redirect that follows a form.
import type { Site } from './site.ts'

export const doneAt = (path: string, done: string): string => `${path}?done=${done}`

/** Told only after what this page did: a link from elsewhere makes no claim of ours. */
export function doneHere<Words extends Readonly<Record<string, string>>>(
  { request }: Site,
  words: Words,
): keyof Words | null {
  const from = request.headers.get('sec-fetch-site')
  if (from !== null && from !== 'same-origin') return null
  const done = new URL(request.url).searchParams.get('done')
  return done !== null && Object.hasOwn(words, done) ? done : null
}
