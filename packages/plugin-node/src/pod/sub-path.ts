import { lstat, mkdir, realpath } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { ContinuoError } from '@continuo/core'

const refuse = (path: string): ContinuoError =>
  new ContinuoError('NODE_CONTAINER_CONFIG', `failed to prepare subPath: ${JSON.stringify(path)} leads out of its volume`, {
    hint: 'use a path below the volume without .. and without symbolic links that leave it',
  })

/** The path of a mount's `subPath` below its volume. Throws `NODE_CONTAINER_CONFIG` when it leaves the volume by its text alone. */
export function subPathOf(root: string, subPath: string): string {
  if (subPath.startsWith('/') || subPath.includes('\0') || subPath.split('/').includes('..')) throw refuse(subPath)
  return join(root, subPath)
}

/**
 * Makes a missing directory for a `subPath`, as Kubernetes does, and refuses one that symbolic links lead out of the volume. A container
 * that shares the volume can still change links afterwards: runtimes with file systems of their own must open the path without following them.
 */
export async function prepareSubPath(root: string, path: string): Promise<void> {
  const base = await realpath(root)
  if (relative(root, path).startsWith('..')) throw refuse(path)
  const existing = await nearestExisting(path)
  if (!isBelow(base, await realpath(existing))) throw refuse(path)
  if (existing !== path) await mkdir(path, { recursive: true, mode: 0o750 })
  if (!isBelow(base, await realpath(path))) throw refuse(path)
}

const isBelow = (base: string, path: string): boolean => path === base || path.startsWith(base.endsWith(sep) ? base : base + sep)

async function nearestExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const found = await lstat(at).catch(() => undefined)
    if (found !== undefined || dirname(at) === at) return at
  }
}
