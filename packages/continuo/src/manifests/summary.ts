import type { ObjectClient } from '@continuo/core'
import { Pod, Service } from '@continuo/workload'
import Table from 'cli-table3'
import type { AppliedObject } from './apply.ts'

/** What runs, where it answers, and how to go on. */
export async function summary(client: ObjectClient, applied: readonly AppliedObject[], kubeconfig: string): Promise<string> {
  const table = new Table({ head: ['pod', 'status', 'ready', 'address', 'node'], style: { head: [], border: [] } })
  const namespaces = [...new Set(applied.map((object) => object.namespace).filter((namespace) => namespace !== ''))]
  for (const namespace of namespaces) {
    for (const pod of (await client.for(Pod).list({ namespace })).items) {
      const containers = pod.status?.containerStatuses ?? []
      table.push([
        `${namespace}/${pod.metadata.name}`,
        pod.status?.phase ?? '',
        `${containers.filter((status) => status.ready).length}/${containers.length}`,
        pod.status?.podIP ?? '',
        pod.spec?.nodeName ?? '',
      ])
    }
  }
  const lines = [table.toString()]
  for (const { namespace, name } of applied.filter((object) => object.kind === 'Service')) {
    const service = await client.for(Service).get({ namespace, name })
    for (const port of service.spec?.ports ?? []) lines.push(`service ${name}: http://${service.spec?.clusterIP}:${port.port}/`)
  }
  return [...lines, `go on with: kubectl --kubeconfig ${kubeconfig} get all`].join('\n')
}
