import { sha256 } from '../sha256.ts'

/** The header in which an actor says which of its tasks a call belongs to. It goes to no upstream. */
export const TASK_HEADER = 'sallyport-task'

const PREFIX = 'sptask_'
const RANDOM_BYTES = 32

/** 32 bytes as base64url. Two headers arrive as one text with a comma, which is none (RFC 9110 §5.3). */
const HANDLE = /^sptask_[A-Za-z0-9_-]{43}$/

/** What no handle has for a digest: a text that is none was shown all the same. */
const NO_HANDLE = 'no handle'

/**
 * Good for nothing without a token of the actor that it was minted for. The prefix is for those who
 * look for secrets where there should be none.
 */
export function newHandle(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES))
  const text = btoa(String.fromCharCode(...bytes))
  return `${PREFIX}${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

/** INVARIANT: only this is stored, and compared. */
export const digestOfHandle = (handle: string): Promise<string> => sha256(handle)

/** null: the request shows none. */
export async function shownHandle(headers: Headers): Promise<string | null> {
  const text = headers.get(TASK_HEADER)
  return text === null ? null : digestOfShown(text)
}

/** Of whatever was shown as one. */
export const digestOfShown = async (text: string): Promise<string> =>
  HANDLE.test(text) ? digestOfHandle(text) : NO_HANDLE
