// What the pure core may name besides the language itself: a parser, which does no I/O.

/** WHATWG URL, as Workers and Node have it: the members that names of resources are made of. */
declare class URL {
  constructor(text: string)
  static canParse(text: string): boolean
  readonly protocol: string
  readonly username: string
  readonly password: string
  hostname: string
  readonly port: string
  readonly pathname: string
  readonly search: string
  hash: string
  readonly href: string
}
