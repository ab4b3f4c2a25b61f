import { statSync } from 'node:fs'
import { RuntimeError } from '@continuo/workload'
import type { ImageConfig } from './config.ts'

/** What an image's name stands for: how to run it on this host. */
export interface ResolvedImage {
  readonly id: string
  readonly root?: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly workingDir?: string
  readonly stopSignal?: string
}

/** The part of the file system that resolving needs. */
export type PathType = (path: string) => 'directory' | 'executable' | 'other' | undefined

export const hostPathType: PathType = (path) => {
  try {
    const stat = statSync(path)
    if (stat.isDirectory()) return 'directory'
    return stat.isFile() && (stat.mode & 0o111) !== 0 ? 'executable' : 'other'
  } catch {
    return undefined
  }
}

/** Splits `registry:5000/name:tag@digest` into the name with its registry and the tag; a missing tag is `latest`. */
export function splitImage(image: string): {
  readonly name: string
  readonly tag: string
} {
  const [reference = ''] = image.split('@')
  const colon = reference.lastIndexOf(':')
  if (colon <= reference.lastIndexOf('/')) return { name: reference, tag: 'latest' }
  return { name: reference.slice(0, colon), tag: reference.slice(colon + 1) }
}

const hostNames: readonly string[] = ['host', 'continuo/host']

/**
 * Finds what to run for an image, in this order: a configured image (`name:tag`, then `name:*`); `host` and `continuo/host`
 * with any tag, which run the container's command straight from the host's file system; the absolute path of a directory
 * (the working directory) or of a program (the entry point). Anything else is `RUNTIME_IMAGE_NOT_PRESENT`.
 */
export function resolveImage(
  image: string,
  images: Readonly<Record<string, ImageConfig>>,
  pathType: PathType = hostPathType,
): ResolvedImage {
  const { name, tag } = splitImage(image)
  const configured =
    Object.entries(images).find(([key]) => sameImage(key, name, tag)) ?? Object.entries(images).find(([key]) => key === `${name}:*`)
  if (configured !== undefined) return fromConfig(image, configured[1], pathType)
  if (hostNames.includes(name)) return { id: `host://${name}:${tag}`, command: [], args: [], env: {} }
  if (image.startsWith('/')) {
    const type = pathType(image)
    if (type === 'directory')
      return {
        id: `file://${image}`,
        root: image,
        command: [],
        args: [],
        env: {},
      }
    if (type === 'executable') return { id: `file://${image}`, command: [image], args: [], env: {} }
  }
  throw new RuntimeError('RUNTIME_IMAGE_NOT_PRESENT', `image "${image}" is not present: the process runtime pulls no images`, {
    hint: `use "host", the absolute path of a directory or program, or one of the configured images: ${Object.keys(images).join(', ') || '(none)'}`,
  })
}

function sameImage(key: string, name: string, tag: string): boolean {
  const known = splitImage(key)
  return known.name === name && known.tag === tag
}

function fromConfig(image: string, config: ImageConfig, pathType: PathType): ResolvedImage {
  if (config.root !== undefined && pathType(config.root) !== 'directory')
    throw new RuntimeError('RUNTIME_IMAGE_NOT_PRESENT', `image "${image}" is configured with root ${config.root}, which is no directory`)
  const { root, workingDir, stopSignal } = config
  return {
    id: `configured://${image}`,
    command: config.command,
    args: config.args,
    env: config.env,
    ...(root === undefined ? {} : { root }),
    ...(workingDir === undefined ? {} : { workingDir }),
    ...(stopSignal === undefined ? {} : { stopSignal }),
  }
}
