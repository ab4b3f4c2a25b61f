import { capability } from '@continuo/core'

/** A volume of one pod on its way to a path on the host. */
export interface VolumeRequest {
  readonly podUid: string
  readonly namespace: string
  readonly podName: string
  readonly volumeName: string
  /** The part of the volume that names its type, such as the value of `configMap`. */
  readonly source: Readonly<Record<string, unknown>>
  /** Directory of this volume alone; the driver may make it, or answer with another path. */
  readonly directory: string
  readonly fsGroup?: number
}

export interface VolumeObjects {
  /** Data by key, or undefined when the object does not exist. Values are raw bytes. */
  configMap(namespace: string, name: string): Promise<ReadonlyMap<string, Uint8Array> | undefined>
  secret(namespace: string, name: string): Promise<ReadonlyMap<string, Uint8Array> | undefined>
  /** A bound token for the pod's account. */
  token(request: { readonly audience?: string; readonly expirationSeconds: number }): Promise<string>
  /** Value of a field of the pod or of a resource of a container, as the downward API names them. */
  field(ref: Readonly<Record<string, unknown>>): string
}

/** One type of volume, keyed by the field of the volume that asks for it: `emptyDir`, `configMap`, `hostPath`. */
export interface VolumeDriver {
  /**
   * Makes the volume ready, or brings it up to date (called again at each sync); resolves with the path on the host.
   * Throws `VOLUME_NOT_READY` with what is missing: the pod waits.
   */
  mount(request: VolumeRequest, objects: VolumeObjects): Promise<{ readonly hostPath: string }>
  /** Idempotent. Removes the contents of ephemeral volumes. */
  unmount(request: Omit<VolumeRequest, 'source'>): Promise<void>
  /** The content follows objects that change: `mount` is called again from time to time. */
  readonly refreshes: boolean
}

export const VolumeDriverCap = capability<VolumeDriver, 'many'>('volume/v1', { cardinality: 'many' })
