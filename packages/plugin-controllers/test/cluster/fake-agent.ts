import { formatTime, hasReason, keyOf, type ObjectClient } from '@continuo/core'
import { Pod } from '@continuo/workload'

export interface FakeAgent {
  /** Images whose pods never become ready. */
  readonly broken: Set<string>
  /** Images whose pods do not end before they are taken out of here and touched. */
  readonly lingering: Set<string>
  stop(): Promise<void>
}

/** Stands in for scheduler and node agents: binds pods, marks them running and ready, and ends those that are deleted. */
export function fakeAgent(client: ObjectClient, nodeName = 'n1'): FakeAgent {
  const abort = new AbortController()
  const broken = new Set<string>()
  const lingering = new Set<string>()
  const done = follow(client, nodeName, { broken, lingering }, abort.signal)
  return {
    broken,
    lingering,
    async stop() {
      abort.abort()
      await done
    },
  }
}

async function follow(
  client: ObjectClient,
  nodeName: string,
  { broken, lingering }: Pick<FakeAgent, 'broken' | 'lingering'>,
  signal: AbortSignal,
): Promise<void> {
  const pods = client.for(Pod)
  let next = 1
  for await (const event of await pods.watch({ signal })) {
    if (event.type === 'BOOKMARK' || event.type === 'DELETED') continue
    try {
      await tend(event.object)
    } catch (error) {
      if (!hasReason(error, 'NotFound', 'Conflict')) throw error
    }
  }

  async function tend(pod: Pod): Promise<void> {
    const key = keyOf(pod)
    const image = pod.spec?.containers[0]?.image ?? ''
    if (pod.metadata.deletionTimestamp !== undefined && lingering.has(image)) return
    if (pod.metadata.deletionTimestamp !== undefined) return void (await pods.delete(key, { gracePeriodSeconds: 0 }))
    if (!pod.spec?.nodeName) {
      const binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: pod.metadata.name },
        target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
      }
      return void (await pods.subresource('binding').create(key, binding))
    }
    if (pod.status?.phase === 'Running') return
    const ready = !broken.has(image)
    const ip = `10.0.${Math.floor(next / 250)}.${(next++ % 250) + 1}`
    const status: Pod['status'] = {
      ...pod.status,
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [
        ...(pod.status?.conditions ?? []).filter((each) => each.type !== 'Ready'),
        { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: formatTime(Date.now()) },
      ],
      containerStatuses: [{ name: 'main', image, imageID: image, ready, restartCount: 0, started: true }],
    }
    await pods.updateStatus({ ...pod, status })
  }
}
