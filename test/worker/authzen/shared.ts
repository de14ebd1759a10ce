/** Files are read by the test runner, which gives a Worker only variables that begin with `VITE_`. */
const meta = import.meta as unknown as {
  readonly url: string
  readonly env: { readonly VITE_SALLYPORT_SHARED?: string }
}
const folder = meta.env.VITE_SALLYPORT_SHARED ?? new URL('../../../../shared', meta.url).pathname

/** One of the vectors in the shared folder, never copied; null where it is not there. */
export async function readVector<T>(name: string): Promise<T | null> {
  try {
    const path = `${folder}/vectors/authzen/${name}.json`
    return ((await import(/* @vite-ignore */ path)) as { readonly default: T }).default
  } catch {
    return null
  }
}
