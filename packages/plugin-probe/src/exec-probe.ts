import type { Prober } from '@continuo/workload'

/** `exec`: success when the command exits with 0 within the timeout. */
export const execProbe: Prober = {
  async run(target, signal) {
    const command = (target.handler as { readonly command?: readonly string[] }).command ?? []
    try {
      const { exitCode, output } = await target.exec(command, signal)
      if (signal.aborted) return { outcome: 'failure', message: `command timed out: ${JSON.stringify(command.join(' '))}` }
      return exitCode === 0
        ? { outcome: 'success', message: output }
        : { outcome: 'failure', message: output.trim() === '' ? `command exited with ${exitCode}` : output.trim() }
    } catch (error) {
      if (signal.aborted) return { outcome: 'failure', message: `command timed out: ${JSON.stringify(command.join(' '))}` }
      return { outcome: 'unknown', message: error instanceof Error ? error.message : String(error) }
    }
  },
}
