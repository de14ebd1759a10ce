const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Resolves when somebody wants this command to end, so that it can stop what it started.
 *
 * Call it once the stack is up: Miniflare listens too, and would end the process before files and
 * folders are put away. A second signal ends the process in the ordinary way.
 */
export function stopSignal(): Promise<'stop'> {
  return new Promise((resolve) => {
    const stop = (): void => {
      for (const signal of STOP_SIGNALS) process.removeAllListeners(signal)
      resolve('stop')
    }
    for (const signal of STOP_SIGNALS) {
      process.removeAllListeners(signal)
      process.once(signal, stop)
    }
  })
}
