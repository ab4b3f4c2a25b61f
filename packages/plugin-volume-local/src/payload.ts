import { ContinuoError } from '@continuo/core'

/** One file of a volume that carries data: its path below the mount, bytes and permissions. */
export interface VolumeFile {
  readonly path: string
  readonly data: Uint8Array
  readonly mode: number
}

export interface KeyToPath {
  readonly key: string
  readonly path: string
  readonly mode?: number
}

/** The object that a volume needs is not there yet, or lacks a key: the pod waits. */
export const notReady = (message: string): ContinuoError =>
  new ContinuoError('VOLUME_NOT_READY', message, { hint: 'create it, or mark the reference optional' })

/** Refuses paths that would leave the volume. Keys of API objects are validated there; `items` and projections come here. */
export function checkPath(path: string): string {
  if (
    path === '' ||
    path.startsWith('/') ||
    path.split('/').some((part) => part === '..' || part === '.') ||
    path.includes('\0') ||
    path.startsWith('..')
  ) {
    throw new ContinuoError('VOLUME_INVALID_PATH', `path ${JSON.stringify(path)} of a projected file leaves its volume`, {
      hint: 'use a relative path without ..',
    })
  }
  return path
}

/**
 * The files of a ConfigMap or Secret: all keys, or the listed ones at their paths.
 * `what` names the object for errors, such as `configmap "settings"`.
 */
export function keyedFiles(
  what: string,
  data: ReadonlyMap<string, Uint8Array> | undefined,
  options: { readonly items?: readonly KeyToPath[]; readonly optional?: boolean; readonly defaultMode: number },
): VolumeFile[] {
  if (data === undefined) {
    if (options.optional === true) return []
    throw notReady(`${what} not found`)
  }
  if (options.items === undefined || options.items.length === 0)
    return [...data].map(([key, bytes]) => ({ path: checkPath(key), data: bytes, mode: options.defaultMode }))
  return options.items.flatMap((item) => {
    const bytes = data.get(item.key)
    if (bytes === undefined) {
      if (options.optional === true) return []
      throw notReady(`references non-existent config key: ${item.key} in ${what}`)
    }
    return [{ path: checkPath(item.path), data: bytes, mode: item.mode ?? options.defaultMode }]
  })
}
