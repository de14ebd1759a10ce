const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** How long a repeated signal is taken for the same wish: one Ctrl-C reaches us twice through npm. */
const SAME_WISH_MS = 2_000

/**
 * Resolves when somebody wants this command to end, so that it can stop what it started.
 *
 * Call it once the stack is up: Miniflare listens too, and would end the process before files and
 * folders are put away. A signal that comes when stopping already takes long ends the process in the
 * ordinary way.
 */
export function stopSignal(): Promise<'stop'> {
  return new Promise((resolve) => {
    const listen = (heard: () => void): void => {
      for (const signal of STOP_SIGNALS) {
        process.removeAllListeners(signal)
        process.on(signal, heard)
      }
    }
    listen(() => {
      listen(() => undefined)
      setTimeout(() => {
        for (const signal of STOP_SIGNALS) process.removeAllListeners(signal)
      }, SAME_WISH_MS).unref()
      resolve('stop')
    })
  })
}
