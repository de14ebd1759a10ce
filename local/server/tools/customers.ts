import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { STAGES, type Customer } from '../customers.ts'
import { store } from '../store.ts'
import { failed, structured } from './result.ts'

const id = z.string().describe('Customer id, for example C-1001')

const row = z.object({
  id: z.string(),
  company: z.string(),
  contact: z.string(),
  email: z.string(),
  stage: z.enum(STAGES),
  owner: z.string(),
  revenue: z.number(),
})

const record = row.extend({
  contractValue: z.number(),
  notes: z.string(),
  history: z.array(
    z.object({ field: z.enum(['stage', 'owner']), from: z.string(), to: z.string() }),
  ),
})

const searchInput = z.object({
  query: z
    .string()
    .optional()
    .describe('Words in company, contact, email, stage or owner. Left out or "*": every customer'),
  limit: z.int().min(1).max(100).optional().describe('At most this many rows'),
})
const searchOutput = z.object({ total: z.int(), customers: z.array(row) })

const customerInput = z.object({ id })
const updateInput = z.object({
  id,
  fields: z
    .object({ stage: z.enum(STAGES).optional(), owner: z.string().min(1).optional() })
    .describe('Only the fields that change'),
})
const deleteOutput = z.object({ deleted: z.string() })

const exportInput = z.object({
  format: z.enum(['csv', 'json']),
  destination: z
    .string()
    .min(1)
    .describe('Where the file goes: an email address, an https URL or a folder such as "reports"'),
})
const exportOutput = z.object({ id: z.string(), destination: z.string(), rows: z.int() })

export function registerCustomerTools(server: McpServer): void {
  server.registerTool(
    'search_customers',
    {
      title: 'Search customers',
      description:
        'Finds customers by text and returns one row for each: contact, email, stage, owner and revenue.',
      inputSchema: searchInput,
      outputSchema: searchOutput,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ query, limit }) => {
      const found = [...store.customers.values()].filter((customer) => matches(customer, query))
      return structured({ total: found.length, customers: found.slice(0, limit).map(toRow) })
    },
  )

  server.registerTool(
    'get_customer',
    {
      title: 'Get customer',
      description:
        'Returns the whole record of one customer, with contract value and internal notes. Confidential.',
      inputSchema: customerInput,
      outputSchema: record,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ id }) => {
      const customer = store.customers.get(id)
      return customer === undefined ? noSuchCustomer(id) : structured({ ...customer })
    },
  )

  server.registerTool(
    'update_customer',
    {
      title: 'Update customer',
      description:
        'Changes stage or owner of one customer. The old value stays in the record’s history.',
      inputSchema: updateInput,
      outputSchema: record,
      annotations: {
        readOnlyHint: false,
        // Nothing is lost: what is overwritten is kept in `history`.
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
    },
    ({ id, fields }) => {
      const customer = store.customers.get(id)
      if (customer === undefined) return noSuchCustomer(id)
      const { stage = customer.stage, owner = customer.owner } = fields
      noteChange(customer, 'stage', stage)
      noteChange(customer, 'owner', owner)
      Object.assign(customer, { stage, owner })
      return structured({ ...customer })
    },
  )

  server.registerTool(
    'delete_customer',
    {
      title: 'Delete customer',
      description: 'Deletes one customer with its history. This cannot be undone.',
      inputSchema: customerInput,
      outputSchema: deleteOutput,
      annotations: {
        readOnlyHint: false,
        destructiveHint: true,
        idempotentHint: true,
        openWorldHint: false,
      },
    },
    ({ id }) => (store.customers.delete(id) ? structured({ deleted: id }) : noSuchCustomer(id)),
  )

  server.registerTool(
    'export_customers',
    {
      title: 'Export customers',
      description: 'Writes every customer to a CSV or JSON file and delivers it to a destination.',
      inputSchema: exportInput,
      outputSchema: exportOutput,
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    },
    ({ format, destination }) => {
      const id = `E-${store.exports.length + 1}`
      const rows = store.customers.size
      store.exports.push({ id, format, destination, rows })
      return structured({ id, destination, rows })
    },
  )
}

function matches(customer: Customer, query = '*'): boolean {
  if (query.trim() === '' || query === '*') return true
  const { company, contact, email, stage, owner } = customer
  const text = [company, contact, email, stage, owner].join(' ').toLowerCase()
  return text.includes(query.trim().toLowerCase())
}

function toRow(customer: Customer): z.infer<typeof row> {
  const { contractValue: _, notes: __, history: ___, ...visible } = customer
  return visible
}

function noteChange(customer: Customer, field: 'stage' | 'owner', to: string): void {
  const from = customer[field]
  if (from !== to) customer.history.push({ field, from, to })
}

function noSuchCustomer(id: string) {
  return failed(`no customer has the id ${JSON.stringify(id)}`)
}
