import type { Prober } from '@continuo/workload'
import { attempt } from './attempt.ts'

/** `exec`: success when the command exits with 0 within the timeout. */
export const execProbe: Prober = {
  run(target, signal) {
    const given = target.handler.command
    const command = Array.isArray(given) ? given.map(String) : []
    return attempt(signal, `command timed out: ${JSON.stringify(command.join(' '))}`, async () => {
      const { exitCode, output } = await target.exec(command, signal)
      if (exitCode === 0) return { outcome: 'success', message: output }
      return { outcome: 'failure', message: output.trim() === '' ? `command exited with ${exitCode}` : output.trim() }
    })
  },
}
