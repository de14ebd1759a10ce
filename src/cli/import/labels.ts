// Pure. Labels that rules on flows of data speak of. Those that follow from the class of access
// (`sink.export` of an export, …) are derived at each call and are not suggested again.
import type { Access } from '../../pdp/evaluation.ts'
import type { ArgumentRole } from './roles.ts'
import { baseForms } from './words.ts'

const set = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/))

/** What strangers may have written. */
const STRANGERS = set(`email mail inbox gmail message sms chat channel thread conversation dm slack
  discord telegram comment issue review feedback survey form ticket discussion mention notification
  web webpage website page url internet browser html http rss feed news article blog post tweet forum
  reddit attachment document doc file drive folder upload note calendar event meeting invitation
  transcript pr pull readme repo repository commit log search scrape crawl wiki description
  public external user-generated submission application resume listing`)

/** What is not for everybody. */
const CONFIDENTIAL = set(`customer client user account member employee staff person people contact
  patient medical health salary payroll hr invoice billing payment bank card transaction finance
  financial revenue contract deal opportunity lead crm password secret credential vault
  certificate private personal confidential internal sensitive restricted pii ssn passport address
  phone inbox email mail gmail message chat dm conversation document doc file drive folder note
  calendar meeting transcript database db table row record sql schema repo repository source code
  commit log audit config configuration environment env order subscription ticket backup memory
  profile identity session device location tenant legal tax insurance`)

const MANY = set(`list search find query all every each bulk batch entire whole export dump backup
  enumerate scan everything download crawl full mass`)

const SENDS = set(`send email mail message sms dm post publish share tweet notify webhook upload
  invite forward reply comment broadcast dispatch deliver push announce call request http export
  submit transmit slack discord telegram fax`)

const PAYS = set(`pay payment payout transfer purchase buy charge refund withdraw deposit checkout
  donate wire remit remittance invoice settle settlement bid trade tip subscribe top-up`)
/** These pay where they are the act itself: `book_hotel`, and not `list_books`. */
const PAYS_FIRST = set('order book reserve rent hire sell')

const DEPLOYS = set('deploy deployment rollout release terraform helm kubectl')
const FETCHES = set(
  'fetch browse navigate open visit crawl scrape get download request http url web',
)

export interface Traits {
  readonly access: Access
  readonly classes: readonly Access[]
  /** Of name and title, in their order. */
  readonly nameWords: readonly string[]
  /** Of the description as well. */
  readonly allWords: readonly string[]
  readonly roles: ReadonlySet<ArgumentRole>
  /** Some argument is an address out in the world: a URL, a recipient. */
  readonly addresses: boolean
  readonly urls: boolean
  readonly openWorld: boolean
}

/** Nothing is known: the labels that an unreviewed tool counts with anyway. */
export const WORST_LABELS = ['sink.external_send', 'source.confidential', 'source.untrusted']

export function labelsFor(traits: Traits): string[] {
  const { access, classes, nameWords, allWords, roles } = traits
  const named = (table: ReadonlySet<string>): boolean => some(nameWords, table)
  const told = (table: ReadonlySet<string>): boolean => some(allWords, table)
  const acts = access !== 'read'
  // What acts may answer with what it touched; only its name says what that is, most likely.
  const gives = classes.some((one) => one === 'read' || one === 'export') || classes.length === 0
  const paysFirst = some(nameWords.slice(0, 1), PAYS_FIRST)
  const commands = roles.has('command')
  const fetches = traits.urls && told(FETCHES)

  const held: readonly (readonly [string, boolean])[] = [
    ['source.untrusted', fetches || commands || (gives && (traits.openWorld || told(STRANGERS)))],
    ['source.confidential', commands || (gives && told(CONFIDENTIAL))],
    ['source.bulk', gives && (commands || named(MANY) || classes.includes('export'))],
    [
      'sink.external_send',
      fetches || commands || traits.addresses || (acts && (named(SENDS) || traits.openWorld)),
    ],
    ['sink.payment', acts && (named(PAYS) || paysFirst)],
    ['sink.command', commands],
    ['sink.fetch', fetches],
    ['sink.deploy', acts && named(DEPLOYS)],
    ['sink.export', access !== 'export' && classes.includes('export')],
    [
      'sink.privileged',
      access !== 'admin' && (classes.includes('admin') || (acts && roles.has('credential'))),
    ],
  ]
  return held.flatMap(([label, holds]) => (holds ? [label] : [])).toSorted()
}

const some = (words: readonly string[], table: ReadonlySet<string>): boolean =>
  words.some((word) => baseForms(word).some((form) => table.has(form)))
