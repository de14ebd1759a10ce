/** What `work` brings within `ms`, else `late`. The work goes on; only the wait for it ends. */
export async function inTime<T, L>(work: Promise<T>, ms: number, late: L): Promise<T | L> {
  let stop = (): void => {}
  const timeout = new Promise<L>((resolve) => {
    const timer = setTimeout(() => resolve(late), ms)
    stop = () => clearTimeout(timer)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    stop()
  }
}

/** For answers that could be anything: what stands for none. */
export const LATE: unique symbol = Symbol('late')
