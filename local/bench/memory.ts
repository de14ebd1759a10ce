import { readdir, readFile } from 'node:fs/promises'

/**
 * Resident memory of all processes of that name that this one has started, in megabytes; not a number
 * where the system does not say (it does on Linux, in `/proc`).
 */
export async function residentMegabytes(name: string): Promise<number> {
  const names = await readdir('/proc').catch(() => [])
  const processes = await Promise.all(
    names.filter((one) => /^[0-9]+$/.test(one)).map((pid) => read(Number(pid))),
  )
  const known = processes.filter((one) => one !== null)
  const parents = new Map(known.map(({ pid, parent }) => [pid, parent]))
  const isOurs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) {
      if (at === process.pid) return true
    }
    return false
  }
  const ours = known.filter((one) => one.name === name && isOurs(one.pid))
  if (ours.length === 0) return Number.NaN
  return ours.reduce((sum, one) => sum + one.megabytes, 0)
}

interface Process {
  readonly pid: number
  readonly parent: number
  readonly name: string
  readonly megabytes: number
}

/** null: it has ended meanwhile. */
async function read(pid: number): Promise<Process | null> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => null)
  if (text === null) return null
  const field = (name: string): string =>
    new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(text)?.[1] ?? ''
  return {
    pid,
    parent: Number(field('PPid')),
    name: field('Name'),
    megabytes: Number(field('VmRSS') || 0) / 1024,
  }
}
