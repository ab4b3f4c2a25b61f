import type { DeepReadonly, Lister } from '@continuo/core'
import type { PersistentVolumeClaim, Pod } from '@continuo/workload'

type PodView = DeepReadonly<Pod>
type PodSpec = NonNullable<PodView['spec']>

/** What pods refer to and their nodes may read for them. */
export type Referred = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'serviceaccounts'

const key = (node: string, type: Referred, namespace: string, name: string): string => `${node}|${type}|${namespace}/${name}`

const containersOf = (spec: PodSpec) => [...(spec.containers ?? []), ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]

function* environmentRefs(spec: PodSpec): Generator<readonly [Referred, string | undefined]> {
  for (const { env = [], envFrom = [] } of containersOf(spec)) {
    for (const { configMapRef, secretRef } of envFrom) {
      yield ['configmaps', configMapRef?.name]
      yield ['secrets', secretRef?.name]
    }
    for (const { valueFrom } of env) {
      yield ['configmaps', valueFrom?.configMapKeyRef?.name]
      yield ['secrets', valueFrom?.secretKeyRef?.name]
    }
  }
}

/** The secret that a volume's driver needs, whichever it is. */
const driverSecret = (volume: NonNullable<PodSpec['volumes']>[number]): string | undefined =>
  volume.csi?.nodePublishSecretRef?.name ??
  volume.flexVolume?.secretRef?.name ??
  volume.iscsi?.secretRef?.name ??
  volume.rbd?.secretRef?.name ??
  volume.cephfs?.secretRef?.name ??
  volume.azureFile?.secretName ??
  volume.scaleIO?.secretRef?.name ??
  volume.storageos?.secretRef?.name

function* volumeRefs(spec: PodSpec, podName: string): Generator<readonly [Referred, string | undefined]> {
  for (const volume of spec.volumes ?? []) {
    yield ['secrets', volume.secret?.secretName]
    yield ['configmaps', volume.configMap?.name]
    yield ['persistentvolumeclaims', volume.persistentVolumeClaim?.claimName]
    if (volume.ephemeral !== undefined) yield ['persistentvolumeclaims', `${podName}-${volume.name}`]
    for (const source of volume.projected?.sources ?? []) {
      yield ['secrets', source.secret?.name]
      yield ['configmaps', source.configMap?.name]
    }
    yield ['secrets', driverSecret(volume)]
  }
}

/** Index values of a pod: everything that its node may touch because of it. Nothing before it is bound. Pure. */
export function referencesOf(pod: PodView): readonly string[] {
  const { spec, metadata } = pod
  const node = spec?.nodeName
  if (spec === undefined || !node) return []
  const namespace = metadata.namespace ?? ''
  const found = new Set<string>()
  const add = (type: Referred, name: string | undefined): void => {
    if (name) found.add(key(node, type, namespace, name))
  }
  add('serviceaccounts', spec.serviceAccountName)
  for (const { name } of spec.imagePullSecrets ?? []) add('secrets', name)
  for (const [type, name] of environmentRefs(spec)) add(type, name)
  for (const [type, name] of volumeRefs(spec, metadata.name)) add(type, name)
  return [...found]
}

export const podIndexes = { references: referencesOf }

export const claimIndexes = {
  volume: (claim: DeepReadonly<PersistentVolumeClaim>) => (claim.spec?.volumeName ? [claim.spec.volumeName] : []),
}

/** Who may touch what because of which pod runs where: the pods of the cluster, indexed. A question costs a look-up. */
export class NodeGraph {
  readonly #pods: Pick<Lister<Pod>, 'get' | 'byIndex'>
  readonly #claims: Pick<Lister<PersistentVolumeClaim>, 'byIndex'>

  constructor(pods: Pick<Lister<Pod>, 'get' | 'byIndex'>, claims: Pick<Lister<PersistentVolumeClaim>, 'byIndex'>) {
    this.#pods = pods
    this.#claims = claims
  }

  /** A pod of the node refers to the object. */
  refers(node: string, type: Referred, namespace: string, name: string): boolean {
    return this.#pods.byIndex('references', key(node, type, namespace, name)).length > 0
  }

  /** A pod of the node uses a claim that is bound to the volume. */
  usesVolume(node: string, volume: string): boolean {
    return this.#claims
      .byIndex('volume', volume)
      .some(({ metadata }) => this.refers(node, 'persistentvolumeclaims', metadata.namespace ?? '', metadata.name))
  }

  /** The node that the pod is bound to; '' when it is bound to none, undefined when there is no such pod. */
  nodeOf(namespace: string, name: string): string | undefined {
    const pod = this.#pods.get({ namespace, name })
    return pod === undefined ? undefined : (pod.spec?.nodeName ?? '')
  }
}
