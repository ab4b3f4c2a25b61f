import { performance } from 'node:perf_hooks'
import type { RunFlags } from './flags.ts'
import { interruptedCode, runCluster, untilInterrupted } from './run-cluster.ts'

/** `continuo up`: a cluster in the foreground until it is interrupted. */
export async function up(flags: RunFlags): Promise<void> {
  const interrupted = untilInterrupted()
  const abort = new AbortController()
  void interrupted.then(() => abort.abort())
  await runUntil(interrupted, abort, flags)
}

/** Runs the hosts of this process until the user asks to stop, and ends the process. `abort` gives up the start. */
export async function runUntil(interrupted: Promise<unknown>, abort: AbortController, flags: RunFlags): Promise<never> {
  const running = await runCluster(flags, flags.logLevel, abort.signal).catch((error) => {
    if (!abort.signal.aborted) throw error
  })
  if (running === undefined) process.exit(interruptedCode)
  const { cluster, endpoint, kubeconfig } = running
  // Counted from the start of the process, so that it includes loading.
  if (endpoint !== undefined) process.stdout.write(`API at ${endpoint.url}, kubectl --kubeconfig ${kubeconfig}\n`)
  process.stdout.write(`ready in ${Math.round(performance.now())} ms\n`)
  await interrupted
  await cluster.stop()
  process.exit(process.exitCode ?? 0)
}
