import type { DeepReadonly } from '@continuo/core'
import type { Container, Pod, ServiceAccount, Volume } from '@continuo/workload'

export const tokenMountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
const volumePrefix = 'kube-api-access-'
/** Kubernetes asks for an hour and seven seconds, by which it knows such tokens. */
const tokenSeconds = 3_607
const fileMode = 0o644

/** Token, certificate authority (where the cluster has one) and namespace in one volume: what clients in a pod look for. */
export const tokenVolume = (name: string, hasAuthority: boolean): Volume => ({
  name,
  projected: {
    defaultMode: fileMode,
    sources: [
      { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
      ...(hasAuthority ? [{ configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }] : []),
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
    ],
  },
})

/** Whether the pod gets a token: what it says itself, then what its account says, then yes. */
export const wantsToken = (pod: DeepReadonly<Pod>, account: DeepReadonly<ServiceAccount>): boolean =>
  pod.spec?.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true

/**
 * Mounts the token into each container that has nothing at its place. `volume` makes the volume with the given prefix of its name.
 * Changes the pod; does nothing to one whose containers all bring their own.
 */
export function mountToken(pod: Pod, volume: (prefix: string) => Volume): void {
  const spec = pod.spec
  if (spec === undefined) return
  const lacking = [...spec.containers, ...(spec.initContainers ?? [])].filter((container) => !hasMount(container))
  if (lacking.length === 0) return
  const present = spec.volumes?.find((volume) => volume.name.startsWith(volumePrefix))
  const mounted = present ?? volume(volumePrefix)
  if (present === undefined) spec.volumes = [...(spec.volumes ?? []), mounted]
  const { name } = mounted
  for (const container of lacking)
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: tokenMountPath }]
}

const hasMount = ({ volumeMounts }: Container): boolean => volumeMounts?.some(({ mountPath }) => mountPath === tokenMountPath) === true

/** A pod without pull secrets of its own uses those of its account. Changes the pod. */
export function takePullSecrets(pod: Pod, account: DeepReadonly<ServiceAccount>): void {
  if (pod.spec === undefined || (pod.spec.imagePullSecrets ?? []).length > 0) return
  if ((account.imagePullSecrets ?? []).length > 0) pod.spec.imagePullSecrets = account.imagePullSecrets?.map(({ name }) => ({ name }))
}
