/** What whoever opens tasks does, as plain as `fetch` makes it. */
export interface OpenedTask {
  readonly id: string
  /** Told once: what the actor shows with its calls. */
  readonly handle: string
}

export interface TaskDesk {
  readonly sallyport: string
  /** A token for `{sallyport}/tasks`. */
  readonly token: string
}

export async function openTask(desk: TaskDesk, task: object): Promise<OpenedTask> {
  const response = await fetch(`${desk.sallyport}/tasks`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${desk.token}`,
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
    },
    body: JSON.stringify(task),
  })
  if (response.status !== 201) throw new Error(`no task: ${await response.text()}`)
  return (await response.json()) as OpenedTask
}

export async function closeTask(desk: TaskDesk, id: string): Promise<void> {
  const response = await fetch(`${desk.sallyport}/tasks/${id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${desk.token}` },
  })
  if (!response.ok) throw new Error(`not closed: ${await response.text()}`)
}
