// Pure. What an argument is to flows of data, by its name, format and description.
import type { JsonObject, JsonValue } from '../../mcp/value.ts'
import { typesOf, type Parameter } from './arguments.ts'
import { baseForms, wordsOf } from './words.ts'

export type ArgumentRole = 'target' | 'content' | 'command' | 'credential' | 'selector'

const set = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/))

const CREDENTIAL = set(`password passwd passphrase secret credential apikey token otp totp mfa jwt
  bearer authorization cookie pin cvv privatekey`)
/** Two words that are one thing: `api_key`, `private_key`. */
const KEY_OF = set('api access private secret signing encryption ssh auth')
/** `page_token`, `max_tokens`: they count or page, and open nothing. */
const NO_CREDENTIAL = set('page next prev previous continuation cursor max min limit count sync')

const COMMAND = set(`command cmd script sql shell bash powershell eval program statement argv
  javascript js python lua jq cypher gremlin graphql`)
/** `zip_code` and `status_code` are not run. */
const CODE_OF = set(`zip postal post country currency status error promo coupon discount area dial
  language lang locale airport iata color colour product product order tracking verification iso
  tax vat auth reason exit response`)

/** Where something goes, whoever writes there. */
const ADDRESS = set(`to cc bcc recipient email mail url uri href webhook callback endpoint host
  hostname domain destination dest phone msisdn iban payee beneficiary attendee participant invitee
  assignee reviewer channel audience redirect website`)
/** What is acted on: a target of a tool that acts, and a mere choice for one that reads. */
const OBJECT = set(`id ids uuid guid key name slug path file filename filepath folder dir directory
  repo repository owner org organization project workspace branch ref table database db schema bucket
  object resource target user username member account customer contact role group team issue ticket
  thread event calendar document doc page record row item node cluster namespace instance service
  app application device order invoice payment card number source image link address hotel company
  device queue topic stack environment env region vm server`)
const CONTENT = set(`body text message content subject title description desc comment note html
  markdown data payload attachment summary caption reply input value prompt instruction bio details
  headline post snippet memo blob bytes base64 fields properties attributes metadata json xml csv
  patch diff edit reason update`)
const SELECTOR = set(`query filter search term keyword pattern regex glob limit offset page cursor
  sort order orderby columns select include exclude expand since until start end date from before
  after range type status state category lang language format view depth q`)

/** null: it says nothing that a flow of data could follow, such as a flag, a number or a choice. */
export function roleOf(parameter: Parameter, acts: boolean, about: string): ArgumentRole | null {
  const { name, schema } = parameter
  const words = wordsOf(name)
  const has = (table: ReadonlySet<string>): boolean =>
    words.some((word) => baseForms(word).some((form) => table.has(form)))
  const format = typeof schema['format'] === 'string' ? schema['format'] : ''

  if (isFlag(parameter)) return null
  if (format === 'password' || isCredential(words, has)) return 'credential'
  if (FORMATS_OF_TIME.test(format)) return null
  if (isNumber(parameter)) return has(OBJECT) ? objectRole(acts) : null
  if ('enum' in schema || 'const' in schema) return has(ADDRESS) ? 'target' : null
  if (isCommand(parameter, words, has, about)) return 'command'
  if (FORMATS_OF_ADDRESSES.test(format) || has(ADDRESS)) return 'target'
  if (acts && has(CONTENT)) return 'content'
  if (has(OBJECT)) return objectRole(acts)
  if (has(SELECTOR)) return 'selector'
  // What nobody knows is what could carry anything.
  return acts ? 'content' : 'selector'
}

const FORMATS_OF_TIME = /^(?:date|time|date-time|duration)$/
const FORMATS_OF_ADDRESSES =
  /^(?:idn-)?(?:email|hostname)$|^(?:uri|iri)(?:-reference)?$|^ipv[46]$|^uri-template$/

const objectRole = (acts: boolean): ArgumentRole => (acts ? 'target' : 'selector')

const isFlag = ({ schema }: Parameter): boolean => isOnly(schema, ['boolean'])
const isNumber = ({ schema }: Parameter): boolean => isOnly(schema, ['integer', 'number'])

function isOnly(schema: JsonObject, expected: readonly JsonValue[]): boolean {
  const types = typesOf(schema).filter((type) => type !== 'null')
  return types.length > 0 && types.every((type) => expected.includes(type))
}

type Has = (table: ReadonlySet<string>) => boolean

function isCredential(words: readonly string[], has: Has): boolean {
  if (has(NO_CREDENTIAL)) return false
  return has(CREDENTIAL) || (words.includes('key') && has(KEY_OF))
}

const LANGUAGES =
  /\b(?:sql|cypher|graphql|sparql|kql|promql|jql|shell|bash|python|javascript|code)\b/i

/** A query is a command where it is written in a language that can do more than search. */
function isCommand(
  { schema }: Parameter,
  words: readonly string[],
  has: Has,
  about: string,
): boolean {
  if (has(COMMAND)) return true
  if (words.includes('code') && !has(CODE_OF)) return true
  const described = typeof schema['description'] === 'string' ? schema['description'] : ''
  if (words.includes('query') || words.includes('expression') || words.includes('formula')) {
    return LANGUAGES.test(described.slice(0, 1_000)) || LANGUAGES.test(about)
  }
  return typeof schema['contentMediaType'] === 'string'
    ? /javascript|x-sh|python|sql/.test(schema['contentMediaType'])
    : false
}
