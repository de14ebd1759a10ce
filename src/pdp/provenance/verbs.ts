// Pure. The acts that tool names speak of, and the words by which people ask for them in English.
// General usage; a language or a phrase that is not here asks a person more often, never less.

export interface Act {
  /** As tools are named: `send_…`, `delete_…`. */
  readonly names: readonly string[]
  /** As people ask: their regular forms count as well. */
  readonly words: readonly string[]
}

const act = (names: string, words: string): Act => ({
  names: names.split(/\s+/),
  words: words.split(/\s+/),
})

export const ACTS: readonly Act[] = [
  act(
    'send email mail message forward reply respond notify dm text',
    `send email mail message dm forward reply respond write tell notify inform contact say text
    answer post announce share ask give congratulate greet`,
  ),
  act(
    'pay transfer refund wire purchase buy charge donate money transaction payment',
    'pay transfer send refund reimburse wire buy purchase settle spend donate payment bill',
  ),
  act(
    'delete remove cancel erase drop trash discard purge clear revoke kick ban',
    'delete remove cancel erase drop clear trash discard wipe purge kick revoke ban',
  ),
  act(
    'update change modify edit set adjust patch rename correct',
    `update change modify edit set adjust correct replace rename fix increase decrease raise lower
    switch`,
  ),
  act('reschedule move postpone shift', 'reschedule move postpone shift change delay push'),
  act(
    'create add make new generate insert append write save put',
    `create add make new generate write save put insert append extend schedule book plan organize
    organise arrange prepare produce draft set`,
  ),
  act('schedule plan', 'schedule recurring standing plan set pay send transfer'),
  act('invite onboard', 'invite add bring onboard join include'),
  act('share grant', 'share send give access grant'),
  act('post publish upload tweet', 'post publish upload put write share tweet'),
  act('reserve book order rent hire', 'reserve reservation book rent hire order'),
  act('exchange return swap', 'exchange return swap replace refund'),
]
