import { performance } from 'node:perf_hooks'
import { Listr } from 'listr2'
import { type AppliedObject, applyManifests } from '../manifests/apply.ts'
import { readManifests } from '../manifests/read.ts'
import { summary } from '../manifests/summary.ts'
import { untilServing } from '../manifests/until-serving.ts'
import type { RunFlags } from './flags.ts'
import { interruptedCode, type RunningCluster, runCluster, untilInterrupted } from './run-cluster.ts'

/** `continuo start PATH`: a cluster with manifests on it, and how to reach them. */
export async function start(path: string, flags: RunFlags): Promise<void> {
  const interrupted = untilInterrupted()
  const abort = new AbortController()
  void interrupted.then(() => abort.abort())
  const state: { running?: RunningCluster; applied: readonly AppliedObject[] } = { applied: [] }
  const tasks = new Listr(
    [
      {
        title: 'Read manifests',
        task: async (_, task) => {
          task.title = `Read ${(await readManifests(path)).length} objects from ${path}`
        },
      },
      {
        title: 'Start the cluster',
        task: async (_, task) => {
          state.running = await runCluster(flags, flags.logLevel === 'info' ? 'warn' : flags.logLevel, abort.signal)
          task.title = `Cluster ready in ${Math.round(performance.now())} ms`
        },
      },
      {
        title: 'Apply manifests',
        task: async (_, task) => {
          const { cluster } = state.running as RunningCluster
          state.applied = await applyManifests(cluster.client, await readManifests(path))
          task.title = `Applied ${state.applied.map((object) => `${object.kind}/${object.name}`).join(', ')}`
        },
      },
      {
        title: 'Wait until it serves',
        task: (_, task) =>
          untilServing((state.running as RunningCluster).cluster.client, state.applied, {
            signal: abort.signal,
            progress: (text) => {
              task.output = text
            },
          }),
      },
    ],
    { concurrent: false, registerSignalListeners: false, fallbackRenderer: 'simple' },
  )
  try {
    await tasks.run()
    const { cluster, kubeconfig } = state.running as RunningCluster
    process.stdout.write(
      `\n${await summary(cluster.client, state.applied, kubeconfig)}\nready in ${Math.round(performance.now())} ms; Ctrl-C stops everything\n`,
    )
    await interrupted
    process.stdout.write('\nStopping\n')
  } catch (error) {
    if (!abort.signal.aborted) throw error
    process.exitCode = interruptedCode
  } finally {
    await state.running?.cluster.stop()
  }
  process.exit(process.exitCode ?? 0)
}
