// A zlib stream (RFC 1950) under a bound, and nothing behind its end.
import { readBounded } from '../../bounded-body.ts'

/**
 * null: no zlib stream, one that is cut off or has bytes behind it (the platforms check both, and the
 * tests that they do), or one that is larger.
 *
 * INVARIANT: never more than the bound is held, however much a few bytes would become.
 */
export async function inflate(
  packed: Uint8Array<ArrayBuffer>,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'))
  try {
    return await readBounded(unpacked, maxBytes)
  } catch {
    return null
  }
}
