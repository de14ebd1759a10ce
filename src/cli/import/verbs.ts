// Pure. What verbs say about a class of access. English, and never complete: a verb that is missing
// makes a tool unknown, and what is unknown is a write with the worst labels.
import { ACCESS, type Access } from '../../pdp/evaluation.ts'
import { baseForms, pastForms, sentencesOf, wordsOf } from './words.ts'

const list = (words: string): readonly string[] => words.trim().split(/\s+/)

/** Whatever else is said: these words in a name mean the act, wherever they stand. */
const GRAVE: Readonly<Partial<Record<Access, readonly string[]>>> = {
  destructive: list(`delete del remove destroy drop purge erase wipe truncate terminate kill unlink
    uninstall shred rm rmdir expunge nuke obliterate deprovision decommission overwrite exec execute
    eval shell bash powershell sudo`),
  admin: list('grant revoke impersonate elevate'),
  export: list('export exfiltrate'),
}

/** Verbs where a verb stands: first in a name, at the start of a clause, after "to" or "and". */
const VERBS: Readonly<Record<Access, readonly string[]>> = {
  destructive: list(
    'cancel clear reset revert rollback prune discard void trash empty flush evict abort',
  ),
  admin: list(`authorize deploy configure provision install promote demote ban unban block unblock
    mute kick rotate enable disable activate deactivate suspend invite onboard offboard enroll
    rollout migrate scale stop restart reboot shutdown restore`),
  export: list(
    'download dump backup extract share publish upload sync replicate mirror archive offload',
  ),
  write:
    list(`create add insert update set edit modify change write append put patch post save store
    send reply comment respond assign unassign move rename copy duplicate clone merge push commit
    close open reopen start pause resume schedule reschedule subscribe unsubscribe register approve
    reject deny accept decline upsert import tag untag label mark lock unlock submit order buy
    purchase pay transfer charge refund withdraw deposit book reserve checkout confirm notify alert
    email message call dial text tweet forward upvote vote like follow unfollow star react pin unpin
    log record track attach detach disconnect connect link request trigger apply sign issue increment
    decrement toggle click type press fill navigate drag focus hover generate complete remember
    memorize ingest index train draft compose make build delegate queue enqueue acknowledge dismiss
    snooze escalate resolve join leave replace run invoke format report release process perform
    manage handle control initiate launch donate donate tip bid trade sell settle convert exchange`),
  read: list(`get list read search find query fetch lookup view show describe count check browse
    retrieve inspect explain summarize summarise analyze analyse validate verify preview status ping
    echo help info history diff compare translate calculate compute forecast stat watch monitor tail
    grep glob head select return display enumerate scan measure estimate predict detect classify
    recommend suggest recall load parse test poll wait whoami discover locate profile audit tell
    provide scrape crawl sum screenshot capture ls cat`),
}

/**
 * Nouns as often as verbs. In a description they count only where nothing but a verb can stand:
 * "returns name, email and order" neither mails nor orders.
 */
const NOUNS_TOO: ReadonlySet<string> = new Set(
  list(`email message comment order tag label post log record text star issue sign mark lock call
    track book charge transfer share dump backup archive mirror release report upload download
    follow like alert deposit refund request trigger process control exchange trade tip bid type
    set index draft queue link copy change update run start stop press format void reset block
    scale import export move forward update store`),
)

const CLASS_OF: ReadonlyMap<string, Access> = new Map(
  ACCESS.flatMap((access) => VERBS[access].map((verb) => [verb, access] as const)),
)
const GRAVE_CLASS_OF: ReadonlyMap<string, Access> = new Map(
  ACCESS.flatMap((access) => (GRAVE[access] ?? []).map((verb) => [verb, access] as const)),
)

export const isWorse = (a: Access, b: Access): boolean => ACCESS.indexOf(a) > ACCESS.indexOf(b)

export const worst = (classes: readonly Access[]): Access | null =>
  classes.reduce<Access | null>(
    (most, one) => (most === null || isWorse(one, most) ? one : most),
    null,
  )

const classIn = (table: ReadonlyMap<string, Access>, forms: readonly string[]): Access | null =>
  worst(forms.flatMap((form) => table.get(form) ?? []))

/** Words that join two acts in one name: `get_or_create`, `find_and_replace`. */
const JOINING: ReadonlySet<string> = new Set(['and', 'or', 'then', 'to', 'by'])

/**
 * Of a name: the first verb, verbs after joining words, and grave ones anywhere. A noun that could
 * be a verb (`list_orders`, `get_comment`) stands behind the verb that is meant.
 */
export function classesOfName(name: string): Access[] {
  const words = wordsOf(name)
  const found = words.flatMap((word) => classIn(GRAVE_CLASS_OF, baseForms(word)) ?? [])
  let verbIsDue = true
  for (const word of words) {
    const access: Access | null = verbIsDue ? classIn(CLASS_OF, baseForms(word)) : null
    if (access !== null) found.push(access)
    // A prefix such as `github_` is no verb: the next word may be it.
    verbIsDue = JOINING.has(word) || (verbIsDue && access === null && !isGrave(word))
  }
  return found
}

const isGrave = (word: string): boolean => classIn(GRAVE_CLASS_OF, baseForms(word)) !== null

/** After one of these a verb follows: "to send", "can run", "which deletes". */
const BEFORE_A_VERB: ReadonlySet<string> = new Set(
  list(`to can could will would may might must should also which that it optionally permanently
    immediately automatically`),
)
/** After one of these a verb may follow: "and deletes", "a tool for exporting". */
const BEFORE_A_VERB_OR_NOUN: ReadonlySet<string> = new Set(list(', and or then by for this tool'))
/** "the export", "a shell": things, and no acts. */
const BEFORE_A_NOUN: ReadonlySet<string> = new Set(list('the a an of this that its per'))
const BEFORE_A_PASSIVE: ReadonlySet<string> = new Set(['be', 'gets', 'get', 'being'])
const NEGATION: ReadonlySet<string> = new Set(
  list(`not never no cannot without don't doesn't won't can't isn't nor`),
)

/** Of a description: acts that it says are done, and none that it says are not. */
export function classesOfText(text: string): Access[] {
  return sentencesOf(text).flatMap((sentence) =>
    sentence.flatMap((word, at) => {
      const before = sentence[at - 1]
      if (sentence.slice(Math.max(0, at - 3), at).some((one) => NEGATION.has(one))) return []
      const grave = before !== undefined && BEFORE_A_NOUN.has(before) ? [] : baseForms(word)
      return (
        classIn(GRAVE_CLASS_OF, [...grave, ...passiveForms(word, before)]) ??
        classIn(CLASS_OF, verbForms(word, before)) ??
        []
      )
    }),
  )
}

/** What the word may be a form of where it stands; none where no act can stand. */
function verbForms(word: string, before: string | undefined): readonly string[] {
  if (before === undefined || BEFORE_A_VERB.has(before)) return baseForms(word)
  if (BEFORE_A_VERB_OR_NOUN.has(before)) {
    return baseForms(word).filter((form) => !NOUNS_TOO.has(form))
  }
  return passiveForms(word, before)
}

const passiveForms = (word: string, before: string | undefined): readonly string[] =>
  before !== undefined && BEFORE_A_PASSIVE.has(before) ? pastForms(word) : []
