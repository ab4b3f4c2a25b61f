import type { PodAttachment, PodNetwork } from '@continuo/workload'

/** A pod network on a machine that a test may look into. */
export interface OpenedPodNetwork {
  readonly network: PodNetwork
  /** How many pods have an address at the same time, at most. At least 12, better not above 30. */
  readonly capacity: number
  /** Drops the instance as a kill would, and gives a new one on the same state. */
  restart(): Promise<PodNetwork>
  /** Makes a network namespace that the network did not make; it goes with `dispose`. */
  namespace(): Promise<string>
  /** Whether what runs in one pod's namespace can talk to an address. */
  reaches(from: PodAttachment, ip: string): Promise<boolean>
  /** What there is on the machine of any pod: interfaces, namespaces, files, rules. For people. */
  leftovers(): Promise<readonly string[]>
  dispose(): Promise<void>
}

/** One duty of every pod network. `run` throws when the network neglects it. */
export interface PodNetworkCheck {
  readonly name: string
  run(opened: OpenedPodNetwork): Promise<void>
}

export async function runPodNetworkCheck(check: PodNetworkCheck, open: () => Promise<OpenedPodNetwork>): Promise<void> {
  const opened = await open()
  try {
    await check.run(opened)
  } finally {
    await opened.dispose()
  }
}

/** The request of pod number `index`. */
export const pod = (index: number): { readonly uid: string; readonly namespace: string; readonly name: string } => ({
  uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  namespace: 'default',
  name: `pod-${index}`,
})

/** Attaches pods `from` … `from + count - 1`, all at once. */
export const attachMany = (network: PodNetwork, count: number, from = 0): Promise<PodAttachment[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => network.attach(pod(from + index))))
