// Pure. How names of hosts end, so that they are told from words, files and sentences.

/** Of those that are no country's: the common ones, and those that RFC 2606 sets aside. */
const ENDINGS: ReadonlySet<string> = new Set(
  `com org net io info dev app ai edu gov mil int biz xyz site online top shop store tech cloud link
  page live club icu pro name mobi zip mov click ninja space website host press fun work today world
  email news blog agency digital network systems solutions services group team tools run sh bar rest
  art design studio media video photo finance money bank capital fund loan trade market sale buzz vip
  win bid download stream review country science party date racing faith cricket accountants gdn men
  lol monster quest cyou sbs cfd rocks life zone wiki chat example test invalid localhost onion
  local internal`.split(/\s+/),
)
/** ISO 3166 names countries with two letters; what is no country's is some day. IDNA: RFC 5890. */
const COUNTRY = /^(?:[a-z]{2}|xn--[a-z0-9-]{2,59})$/

export function hasHostEnding(host: string): boolean {
  const dot = host.lastIndexOf('.')
  if (dot < 1) return false
  const ending = host.slice(dot + 1).toLowerCase()
  return ENDINGS.has(ending) || COUNTRY.test(ending)
}
