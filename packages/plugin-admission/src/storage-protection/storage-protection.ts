import {
  type AdmissionRequest,
  type DeepReadonly,
  definePlugin,
  hasReason,
  type KubeObject,
  mutableCopy,
  type ResourceClient,
  watches,
} from '@continuo/core'
import { PersistentVolume, PersistentVolumeClaim, Pod } from '@continuo/workload'
import { concerns } from '../requests/requests.ts'
import { claimsOf, isClaimUsed, isVolumeUsed } from './in-use.ts'

const claimFinalizer = 'kubernetes.io/pvc-protection'
const volumeFinalizer = 'kubernetes.io/pv-protection'

/** Keeps claims that pods use, and volumes that claims use, until they are used no longer: marks new ones, and releases what is being deleted. */
export const storageProtection = definePlugin({
  name: 'storage-protection',
  api: '^1',
  permissions: [
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['persistentvolumeclaims', 'persistentvolumes'], verbs: ['get', 'list', 'watch', 'update'] },
  ],
  setup(ctx) {
    ctx.admission({
      mutate(request) {
        if (request.operation !== 'CREATE') return
        if (concerns(request, '', 'persistentvolumeclaims')) mark(request, claimFinalizer)
        else if (concerns(request, '', 'persistentvolumes')) mark(request, volumeFinalizer)
      },
    })
    const pods = ctx.informer(Pod, { indexes: { claim: (pod) => claimsOf(pod).map((name) => `${pod.metadata.namespace}/${name}`) } })
    const claims = ctx.informer(PersistentVolumeClaim)
    const volumes = ctx.informer(PersistentVolume)
    ctx.controller({
      name: 'pvc-protection-controller',
      for: PersistentVolumeClaim,
      watches: [watches(Pod, (pod) => claimsOf(pod).map((name) => ({ namespace: pod.metadata.namespace ?? '', name })))],
      async reconcile(key, { client }) {
        const claim = claims.lister.get(key)
        if (claim === undefined || !isWaiting(claim, claimFinalizer)) return
        const users = (): readonly DeepReadonly<Pod>[] => pods.lister.byIndex('claim', `${key.namespace}/${key.name}`)
        if (isClaimUsed(key.name, users())) return
        // The cache may not have heard of a pod yet; what is released is gone for good.
        const { items } = await client.for(Pod).list({ namespace: key.namespace })
        if (!isClaimUsed(key.name, items)) await release(client.for(PersistentVolumeClaim), claim, claimFinalizer)
      },
    })
    ctx.controller({
      name: 'pv-protection-controller',
      for: PersistentVolume,
      async reconcile(key, { client }) {
        const volume = volumes.lister.get(key)
        if (volume === undefined || !isWaiting(volume, volumeFinalizer) || isVolumeUsed(volume)) return
        await release(client.for(PersistentVolume), volume, volumeFinalizer)
      },
    })
  },
})

function mark({ object }: AdmissionRequest, finalizer: string): void {
  if (object === undefined) return
  const { finalizers = [] } = object.metadata
  if (!finalizers.includes(finalizer)) object.metadata.finalizers = [...finalizers, finalizer]
}

const isWaiting = ({ metadata }: DeepReadonly<KubeObject>, finalizer: string): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(finalizer) === true

/** The version that was looked at must still be the current one: whoever changed it since may have begun to use it. */
async function release<T extends KubeObject>(client: ResourceClient<T>, seen: DeepReadonly<T>, finalizer: string): Promise<void> {
  const next = mutableCopy<T>(seen)
  next.metadata.finalizers = (next.metadata.finalizers ?? []).filter((each) => each !== finalizer)
  try {
    await client.update(next)
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error
  }
}
