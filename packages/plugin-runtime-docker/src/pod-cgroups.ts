import { readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

const root = '/sys/fs/cgroup'

/**
 * The control group of each pod, the parent of those of its containers. Docker makes it and never removes it, so we do, where we can see it.
 */
export class PodCgroups {
  readonly #parent: string
  readonly #systemd: boolean

  /** `driver` is the daemon's: `cgroupfs` or `systemd`. */
  constructor(parent: string, driver: string) {
    this.#parent = parent
    this.#systemd = driver === 'systemd'
  }

  /** The name to give to the daemon. With systemd it is a slice, whose dashes are its path. */
  parentOf(uid: string): string {
    if (this.#systemd) return `${this.#parent.replaceAll('-', '_')}-pod${uid.replaceAll('-', '_')}.slice`
    return `/${this.#parent}/pod${uid}`
  }

  /** Removes the pod's empty groups, of every controller. systemd does that itself. */
  async remove(uid: string): Promise<void> {
    if (this.#systemd) return
    const controllers = await readdir(root).catch(() => [])
    const below = this.parentOf(uid)
    await Promise.all(['', ...controllers].map((controller) => rmdir(join(root, controller, below)).catch(() => {})))
  }
}
