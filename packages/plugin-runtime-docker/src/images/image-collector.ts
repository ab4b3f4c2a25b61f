import { statfs } from 'node:fs/promises'
import type { Clock, Log } from '@continuo/core'
import type { RuntimeDockerConfig } from '../config.ts'
import type { Daemon } from '../daemon/daemon.ts'
import { statusOf } from '../daemon/daemon-error.ts'
import { chooseImages } from './choose-images.ts'

/** The disk of a directory, in bytes; undefined where it cannot be seen. */
export type DiskUsage = (directory: string) => Promise<{ readonly used: number; readonly total: number } | undefined>

export const diskUsage: DiskUsage = async (directory) => {
  const disk = await statfs(directory).catch(() => undefined)
  if (disk === undefined) return undefined
  return { used: (disk.blocks - disk.bavail) * disk.bsize, total: disk.blocks * disk.bsize }
}

export interface ImageCollectorOptions {
  readonly daemon: Daemon
  readonly clock: Clock
  readonly log: Log
  readonly limits: RuntimeDockerConfig['imageDisk']
  readonly diskUsage: DiskUsage
}

const conflict = 409

/** Removes images from a disk that is too full. What was used when is known since it began to look; one entry for each image. */
export class ImageCollector {
  readonly #options: ImageCollectorOptions
  #lastUsed = new Map<string, number>()

  constructor(options: ImageCollectorOptions) {
    this.#options = options
  }

  /** Looks once. Resolves with the ids of what it removed. */
  async collect(): Promise<readonly string[]> {
    const { daemon, clock, log, limits, diskUsage: usageOf } = this.#options
    const info = await daemon.call('ask dockerd where its disk is', (docker) => docker.info())
    const disk = await usageOf(info.DockerRootDir as string)
    const [images, containers] = await Promise.all([
      daemon.call('list images', (docker, abortSignal) => docker.listImages({ abortSignal })),
      daemon.call('list containers', (docker, abortSignal) => docker.listContainers({ all: true, abortSignal })),
    ])
    const now = clock.now()
    const inUse = new Set(containers.map(({ ImageID }) => ImageID))
    this.#lastUsed = new Map(images.map(({ Id }) => [Id, inUse.has(Id) ? now : (this.#lastUsed.get(Id) ?? now)]))
    if (disk === undefined || disk.used * 100 <= disk.total * limits.highPercent) return []
    const stored = images.map(({ Id, Size, RepoDigests }) => ({
      id: Id,
      bytes: Size,
      pulled: (RepoDigests ?? []).some((name) => !name.startsWith('<none>')),
    }))
    const bytesToFree = disk.used - (disk.total * limits.lowPercent) / 100
    const chosen = chooseImages(stored, { bytesToFree, inUse, lastUsed: this.#lastUsed, now, minAgeMs: limits.minAgeSeconds * 1000 })
    if (chosen.length === 0) log.warn({ ...disk }, 'the disk of Docker is too full, and no image can be removed')
    const removed: string[] = []
    for (const id of chosen) if (await this.#remove(id)) removed.push(id)
    if (removed.length > 0) log.info({ images: removed.length }, 'removed images that nobody uses')
    return removed
  }

  /** Resolves false when somebody has begun to use it. Forced, for an image with several names; the daemon never removes one that runs. */
  async #remove(id: string): Promise<boolean> {
    return this.#options.daemon.call(`remove image ${id}`, async (docker, abortSignal) => {
      try {
        await docker.getImage(id).remove({ force: true, abortSignal })
        return true
      } catch (error) {
        if (statusOf(error) === conflict || statusOf(error) === 404) return false
        throw error
      }
    })
  }
}
