import type { ResourceLimits } from '@continuo/workload'

/** The limits of a container in Docker's words. What is left out is unlimited. */
export interface HostResources {
  readonly CpuShares: number
  readonly CpuPeriod?: number
  readonly CpuQuota?: number
  readonly Memory?: number
  readonly MemorySwap?: number
}

const period = 100_000
/** The kernel's least. */
const leastQuota = 1_000
const leastShares = 2
/** 128 TiB: no machine has it, and Docker takes nothing that says "no limit" for a limit that was there. */
const boundless = 2 ** 47

/** Shares for what is requested, a quota for what is allowed, and memory without swap. Pure. */
export function hostResources({ cpuRequest, cpuLimit, memoryLimit }: ResourceLimits): HostResources {
  return {
    CpuShares: Math.max(leastShares, Math.round((cpuRequest ?? cpuLimit ?? 0) * 1024)),
    ...(cpuLimit === undefined ? {} : { CpuPeriod: period, CpuQuota: Math.max(leastQuota, Math.round(cpuLimit * period)) }),
    ...(memoryLimit === undefined ? {} : { Memory: memoryLimit, MemorySwap: memoryLimit }),
  }
}

/** As {@link hostResources}, for a container that has limits already: what is unset is lifted, said expressly. Pure. */
export const changedResources = (limits: ResourceLimits): HostResources => ({
  CpuPeriod: period,
  CpuQuota: -1,
  Memory: boundless,
  MemorySwap: boundless,
  ...hostResources(limits),
})
