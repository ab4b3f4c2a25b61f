import { type DeepReadonly, hasReason, type ObjectClient, type ServedResource } from '@continuo/core'
import { APIService } from '@continuo/workload'

/** Marks objects that this plugin makes: `onstart` for what is built in, `true` for custom resources. */
const automanaged = 'kube-aggregator.kubernetes.io/automanaged'
/** Kubernetes has none for the group in which APIServices themselves are. */
const own = 'apiregistration.k8s.io'

/** `groupPriorityMinimum` of the built-in groups, and `versionPriority` where a group has several versions. As Kubernetes. */
const groupPriorities: Readonly<Record<string, number>> = {
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'resource.k8s.io': 16_200,
}
const customPriorities = { groupPriorityMinimum: 1_000, versionPriority: 100 }

const versionPriority = (group: string, version: string): number =>
  group === '' ? 1 : version === 'v2' ? 30 : group === 'flowcontrol.apiserver.k8s.io' ? 21 : 15

/** The APIService of every group version that this server answers itself, by name. Pure. */
export function localServices(served: readonly ServedResource[]): ReadonlyMap<string, APIService> {
  const services = new Map<string, APIService>()
  for (const { gvr, definition } of served) {
    const { group, version } = gvr
    const name = `${version}.${group}`
    if (group === own || services.has(name)) continue
    const custom = definition.custom === true || groupPriorities[group] === undefined
    services.set(name, {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name, labels: { [automanaged]: custom ? 'true' : 'onstart' } },
      spec: {
        ...(group === '' ? {} : { group }),
        version,
        ...(custom
          ? customPriorities
          : { groupPriorityMinimum: groupPriorities[group] as number, versionPriority: versionPriority(group, version) }),
      },
    })
  }
  return services
}

/** What has to be made and removed so that there is one for each. One of somebody else's making is left alone. Pure. */
export function missingAndStray(
  wanted: ReadonlyMap<string, APIService>,
  found: readonly DeepReadonly<APIService>[],
): { readonly create: readonly APIService[]; readonly remove: readonly string[] } {
  const names = new Set(found.map(({ metadata }) => metadata.name))
  return {
    create: [...wanted.values()].filter(({ metadata }) => !names.has(metadata.name)),
    remove: found
      .filter(({ metadata }) => metadata.labels?.[automanaged] !== undefined && !wanted.has(metadata.name ?? ''))
      .map(({ metadata }) => metadata.name ?? ''),
  }
}

/** Makes and removes the objects. Several replicas may do so at once. Throws `ApiError`. */
export async function reconcileLocalServices(
  client: ObjectClient,
  served: readonly ServedResource[],
  found: readonly DeepReadonly<APIService>[],
): Promise<void> {
  const services = client.for(APIService)
  const { create, remove } = missingAndStray(localServices(served), found)
  const done = (error: unknown): void => {
    if (!hasReason(error, 'AlreadyExists', 'NotFound')) throw error
  }
  await Promise.all([
    ...create.map((service) => services.create(service).then(() => {}, done)),
    ...remove.map((name) => services.delete({ namespace: '', name }).then(() => {}, done)),
  ])
}
