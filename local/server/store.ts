// The state of the demo. It lives in the isolate: workerd runs one of them locally, and losing it
// at a restart is wanted.

import { openingCustomers, type Customer } from './customers.ts'
import type { SentMessage } from './mail.ts'

export interface Export {
  id: string
  format: 'csv' | 'json'
  destination: string
  rows: number
}

interface Store {
  customers: Map<string, Customer>
  outbox: SentMessage[]
  exports: Export[]
}

export const store: Store = openingStore()

export function resetStore(): void {
  Object.assign(store, openingStore())
}

function openingStore(): Store {
  return {
    customers: new Map(openingCustomers().map((customer) => [customer.id, customer])),
    outbox: [],
    exports: [],
  }
}
