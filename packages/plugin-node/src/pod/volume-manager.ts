import { lstat, readdir, rm, rmdir } from 'node:fs/promises'
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
    // What a driver has left in its directory is not ours to remove.
    for (const path of [join(this.#directory(pod), 'volumes'), this.#directory(pod)]) await rmdir(path).catch(() => {})
  }

  /** Pods that have a directory here, wanted or not. */
  async uids(): Promise<readonly string[]> {
    return readdir(this.#root).catch(() => [])
  }

  /**
   * Removes the directory of a pod of which nothing else is known: it was deleted by force, or while the agent was away.
   * Throws `NODE_VOLUME` and removes nothing when something is mounted below it.
   */
  async discard(podUid: string): Promise<void> {
    const directory = join(this.#root, podUid)
    const volumes = join(directory, 'volumes')
    const root = await lstat(this.#root).catch(() => undefined)
    for (const name of await readdir(volumes).catch(() => [])) {
      if ((await lstat(join(volumes, name))).dev !== root?.dev)
        throw new ContinuoError('NODE_VOLUME', `${join(volumes, name)} belongs to no pod and something is mounted there`, {
          hint: 'unmount it; the directory is removed at the next start of the agent',
        })
    }
    await rm(directory, { recursive: true, force: true, maxRetries: 3 })
  }

  #directory(pod: PodView): string {
    return join(this.#root, pod.metadata.uid ?? '')
  }

  #request(pod: PodView, volumeName: string) {
    return {
      podUid: pod.metadata.uid ?? '',
      namespace: pod.metadata.namespace ?? 'default',
      podName: pod.metadata.name,
      volumeName,
      directory: join(this.#directory(pod), 'volumes', volumeName),
    }
  }
}
