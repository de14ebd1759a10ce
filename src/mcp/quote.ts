// Pure. Input inside messages.

const LONGEST = 64

/** In backticks, cut to a readable length, unable to break a line or a terminal. */
export function quote(input: string): string {
  const cut = input.length > LONGEST ? `${input.slice(0, LONGEST)}…` : input
  return `\`${cut.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029`]/gu, '\ufffd')}\``
}
