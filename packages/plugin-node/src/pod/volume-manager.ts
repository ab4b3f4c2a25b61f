import { join } from 'node:path'
import { ContinuoError, type Providers } from '@continuo/core'
import type { VolumeDriver, VolumeObjects } from '@continuo/workload'
import type { PodView } from './model.ts'

/** Mounts and unmounts the volumes of pods through the drivers that the config composes. */
export class VolumeManager {
  readonly #drivers: Providers<VolumeDriver>
  readonly #root: string

  constructor(drivers: Providers<VolumeDriver>, root: string) {
    this.#drivers = drivers
    this.#root = root
  }

  /** Host path of each volume by name. Throws `NODE_VOLUME` naming the volume that is not ready, or that nobody can mount. */
  async mount(pod: PodView, objects: VolumeObjects): Promise<ReadonlyMap<string, string>> {
    const paths = new Map<string, string>()
    for (const volume of pod.spec?.volumes ?? []) {
      const [type, source] = Object.entries(volume).find(([key]) => key !== 'name') ?? ['emptyDir', {}]
      const driver = this.#drivers.get(type)
      if (driver === undefined) {
        throw new ContinuoError(
          'NODE_VOLUME',
          `MountVolume.SetUp failed for volume "${volume.name}": no driver for ${type} is composed into this node`,
          { hint: `add a plugin that provides volume/v1 for ${type}, or use another volume` },
        )
      }
      try {
        const mounted = await driver.mount(
          { ...this.#request(pod, volume.name), source: source as Record<string, unknown>, fsGroup: pod.spec?.securityContext?.fsGroup },
          objects,
        )
        paths.set(volume.name, mounted.hostPath)
      } catch (cause) {
        throw new ContinuoError(
          'NODE_VOLUME',
          `MountVolume.SetUp failed for volume "${volume.name}" : ${cause instanceof Error ? cause.message : String(cause)}`,
          { cause },
        )
      }
    }
    return paths
  }

  /** True when a volume's content follows objects that may change. */
  refreshes(pod: PodView): boolean {
    return (pod.spec?.volumes ?? []).some((volume) =>
      Object.keys(volume).some((key) => key !== 'name' && this.#drivers.get(key)?.refreshes === true),
    )
  }

  async unmount(pod: PodView): Promise<void> {
    for (const volume of pod.spec?.volumes ?? []) {
      const type = Object.keys(volume).find((key) => key !== 'name') ?? 'emptyDir'
      await this.#drivers.get(type)?.unmount(this.#request(pod, volume.name))
    }
  }

  #request(pod: PodView, volumeName: string) {
    const podUid = pod.metadata.uid ?? ''
    return {
      podUid,
      namespace: pod.metadata.namespace ?? 'default',
      podName: pod.metadata.name,
      volumeName,
      directory: join(this.#root, podUid, 'volumes', volumeName),
    }
  }
}
