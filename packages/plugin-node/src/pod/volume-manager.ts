import { ContinuoError, type Providers } from '@continuo/core'
import type { MountSpec, VolumeDriver, VolumeObjects } from '@continuo/workload'
import type { PodView } from './model.ts'
import { prepareSubPath } from './sub-path.ts'
import { type VolumeRecord, VolumeRecords } from './volume-record.ts'

/** Mounts and unmounts the volumes of pods through the drivers that the config composes. */
export class VolumeManager {
  readonly #drivers: Providers<VolumeDriver>
  readonly #records: VolumeRecords
  /** Uids of pods whose record is on disk. */
  readonly #recorded = new Set<string>()

  constructor(drivers: Providers<VolumeDriver>, root: string) {
    this.#drivers = drivers
    this.#records = new VolumeRecords(root)
  }

  /** Host path of each volume by name. Throws `NODE_VOLUME` naming the volume that is not ready, or that nobody can mount. */
  async mount(pod: PodView, objects: VolumeObjects): Promise<ReadonlyMap<string, string>> {
    const paths = new Map<string, string>()
    const volumes = (pod.spec?.volumes ?? []).map((volume) => ({ name: volume.name, ...typeOf(volume) }))
    if (volumes.length === 0) return paths
    const uid = pod.metadata.uid ?? ''
    const record = recordOf(pod, volumes)
    if (!this.#recorded.has(uid)) await this.#records.save(uid, record)
    this.#recorded.add(uid)
    for (const { name, type, source } of volumes) {
      const driver = this.#drivers.get(type)
      if (driver === undefined) {
        throw new ContinuoError(
          'NODE_VOLUME',
          `MountVolume.SetUp failed for volume "${name}": no driver for ${type} is composed into this node`,
          { hint: `add a plugin that provides volume/v1 for ${type}, or use another volume` },
        )
      }
      try {
        const request = { ...this.#request(uid, record, name), source, fsGroup: pod.spec?.securityContext?.fsGroup }
        paths.set(name, (await driver.mount(request, objects)).hostPath)
      } catch (cause) {
        throw new ContinuoError(
          'NODE_VOLUME',
          `MountVolume.SetUp failed for volume "${name}" : ${cause instanceof Error ? cause.message : String(cause)}`,
          { cause },
        )
      }
    }
    return paths
  }

  /** Makes what `subPath` mounts name and is not there yet. Throws `NODE_CONTAINER_CONFIG` for one that leaves its volume. */
  async prepareMounts(mounts: readonly MountSpec[], paths: ReadonlyMap<string, string>): Promise<void> {
    for (const mount of mounts) {
      const root = paths.get(mount.name)
      if (root !== undefined && root !== mount.hostPath) await prepareSubPath(root, mount.hostPath)
    }
  }

  /** True when a volume's content follows objects that may change. */
  refreshes(pod: PodView): boolean {
    return (pod.spec?.volumes ?? []).some((volume) => this.#drivers.get(typeOf(volume).type)?.refreshes === true)
  }

  /** Idempotent. Works from what was recorded when they were mounted, so the pod need not be known any more. */
  async unmount(uid: string): Promise<void> {
    const record = await this.#records.load(uid)
    if (record === undefined) return this.#records.discard(uid)
    for (const { name, type } of record.volumes) await this.#drivers.get(type)?.unmount(this.#request(uid, record, name))
    this.#recorded.delete(uid)
    await this.#records.remove(uid)
  }

  /** Uids of all pods that have volumes here: to find those that nobody knows any more. */
  uids(): Promise<readonly string[]> {
    return this.#records.uids()
  }

  #request(podUid: string, { namespace, podName }: VolumeRecord, volumeName: string) {
    return { podUid, namespace, podName, volumeName, directory: this.#records.directory(podUid, volumeName) }
  }
}

type VolumeView = NonNullable<NonNullable<PodView['spec']>['volumes']>[number]

function typeOf(volume: VolumeView): { readonly type: string; readonly source: Record<string, unknown> } {
  const [type, source] = Object.entries(volume).find(([key, value]) => key !== 'name' && value !== undefined) ?? ['emptyDir', {}]
  return { type, source: source as Record<string, unknown> }
}

const recordOf = (pod: PodView, volumes: readonly { readonly name: string; readonly type: string }[]): VolumeRecord => ({
  namespace: pod.metadata.namespace ?? 'default',
  podName: pod.metadata.name,
  volumes: volumes.map(({ name, type }) => ({ name, type })),
})
