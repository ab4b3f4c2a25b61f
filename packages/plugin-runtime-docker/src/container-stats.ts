import type { ContainerStats } from '@continuo/workload'
import type { ContainerStats as DaemonStats } from './daemon/daemon.ts'

/** A sample of the daemon as the contract tells it; undefined when the container did not run. Works for both versions of control groups. Pure. */
export function containerStats(container: string, sample: DaemonStats): ContainerStats | undefined {
  const { cpu_stats: cpu, memory_stats: memory } = sample
  if (memory?.usage === undefined) return undefined
  const details = (memory.stats ?? {}) as unknown as Readonly<Record<string, number | undefined>>
  const reclaimable = details.total_inactive_file ?? details.inactive_file ?? 0
  return {
    container,
    time: Date.parse(sample.read),
    cpuNanoseconds: cpu.cpu_usage.total_usage,
    memoryWorkingSetBytes: Math.max(0, memory.usage - reclaimable),
    memoryRssBytes: details.total_rss ?? details.rss ?? details.anon ?? 0,
  }
}
