// Pure: the CRM's opening data. The same forty customers on every machine and after every reset.

export const STAGES = ['lead', 'trial', 'active', 'closed'] as const
export type Stage = (typeof STAGES)[number]

/** A field that was overwritten keeps its old value here: an update loses nothing. */
export interface Change {
  field: 'stage' | 'owner'
  from: string
  to: string
}

export interface Customer {
  id: string
  company: string
  contact: string
  email: string
  stage: Stage
  owner: string
  revenue: number
  /** Confidential, like `notes`: shown by `get_customer` alone. */
  contractValue: number
  notes: string
  history: Change[]
}

const COUNT = 40

const PREFIXES = ['Arden', 'Birch', 'Calder', 'Dover', 'Elm', 'Fenwick', 'Garnet', 'Harrow']
const TRADES = ['Logistics', 'Foods', 'Dental', 'Robotics', 'Textiles']
const FIRST_NAMES = ['Amara', 'Bruno', 'Chen', 'Dalia', 'Edvin', 'Farah', 'Goran', 'Hana']
const LAST_NAMES = ['Okafor', 'Silva', 'Wei', 'Haddad', 'Lund', 'Rahimi', 'Petrov']
const OWNERS = ['alice', 'bob', 'carol']
const NOTES = [
  'Renewal is due in March; the CFO wants 12 % off and does not know that we would go to 15 %.',
  'Acquisition talks with a competitor, under NDA until the announcement.',
  'Paid two invoices late. Credit limit reduced by finance; do not tell the customer.',
  'Evaluating a rival product. Procurement decides at the end of the quarter.',
  'Reference customer. The discount that they were given is not to be quoted to others.',
]

export function openingCustomers(): Customer[] {
  const next = seededIntegers(20_260_728)
  return Array.from({ length: COUNT }, (_, index) => {
    const company = `${pick(PREFIXES, index)} ${pick(TRADES, Math.floor(index / PREFIXES.length))}`
    const first = pick(FIRST_NAMES, next())
    const last = pick(LAST_NAMES, next())
    const revenue = 20_000 + (next() % 480) * 1_000
    return {
      id: `C-${1001 + index}`,
      company,
      contact: `${first} ${last}`,
      email: `${first}.${last}@${company.replace(' ', '-')}.example`.toLowerCase(),
      stage: pick(STAGES, next()),
      owner: pick(OWNERS, next()),
      revenue,
      contractValue: revenue * 3 - (next() % 20) * 500,
      notes: pick(NOTES, next()),
      history: [],
    }
  })
}

/** Numerical Recipes' linear congruential generator; the high bits, since the low ones repeat early. */
function seededIntegers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 16
  }
}

function pick<Item>(items: readonly Item[], index: number): Item {
  const item = items[index % items.length]
  if (item === undefined) throw new Error('cannot pick from an empty list')
  return item
}
