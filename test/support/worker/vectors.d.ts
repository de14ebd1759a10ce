/** Third-party test vectors, as `[file name, base64]` (vitest.config.ts). */
declare module 'vectors:*' {
  const files: readonly (readonly [string, string])[]
  export default files
}
