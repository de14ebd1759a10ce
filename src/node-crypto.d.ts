// The parts of `node:crypto` that are used here: workerd has it built in.
declare module 'node:crypto' {
  interface Hash {
    update(text: string): Hash
    digest(encoding: 'base64url'): string
  }
  export function createHmac(algorithm: 'sha256', key: string): Hash
  export function createHash(algorithm: 'sha256'): Hash
}
