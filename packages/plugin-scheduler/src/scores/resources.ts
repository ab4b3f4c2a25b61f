import type { NodeSnapshot } from '@continuo/workload'
import { scoringRequests } from '../snapshot/amounts.ts'
import type { NodeInfo } from '../snapshot/node-info.ts'
import type { BuiltInScore } from './built-in.ts'

const share = (used: number, capacity: number): number => (used > capacity ? 0 : ((capacity - used) * 100) / capacity)

/** Prefers nodes that have most CPU and memory left. */
export const leastAllocated: BuiltInScore = {
  name: 'leastAllocated',
  weight: 1,
  prepare: ({ pod, requests }) => {
    const wanted = scoringRequests(pod, requests)
    return [
      {
        scorer: (snapshot: NodeSnapshot) => {
          const { allocatable, scoring } = snapshot as NodeInfo
          const { cpu = 0, memory = 0 } = allocatable
          const kinds = (cpu > 0 ? 1 : 0) + (memory > 0 ? 1 : 0)
          if (kinds === 0) return 0
          const total =
            (cpu > 0 ? share(scoring.cpu + wanted.cpu, cpu) : 0) + (memory > 0 ? share(scoring.memory + wanted.memory, memory) : 0)
          return Math.trunc(total / kinds)
        },
      },
    ]
  },
}

const fraction = (used: number, capacity: number): number => Math.min(1, used / capacity)

/** Prefers nodes whose CPU and memory would be used to a like degree. Has no say about pods without requests. */
export const balanced: BuiltInScore = {
  name: 'balanced',
  weight: 1,
  prepare: ({ requests }) => {
    const { cpu: wantedCpu = 0, memory: wantedMemory = 0 } = requests
    if (wantedCpu === 0 && wantedMemory === 0) return []
    return [
      {
        scorer: ({ allocatable, requested }) => {
          const { cpu = 0, memory = 0 } = allocatable
          if (cpu === 0 || memory === 0) return 100
          const difference = fraction((requested.cpu ?? 0) + wantedCpu, cpu) - fraction((requested.memory ?? 0) + wantedMemory, memory)
          return Math.trunc((1 - Math.abs(difference) / 2) * 100)
        },
      },
    ]
  },
}
