import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { lstat, mkdir, readFile, realpath, rm } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { RuntimeError } from '@continuo/workload'

const run = promisify(execFile)

/** One image of an unpacked archive or layout. */
export interface PackedImage {
  readonly names: readonly string[]
  /** Hexadecimal SHA-256 of the configuration, which is the image's identity. */
  readonly id: string
  readonly config: object
  /** Files of the layers, the lowest first. */
  readonly layers: readonly string[]
}

const damaged = (where: string, cause?: unknown): RuntimeError =>
  new RuntimeError('RUNTIME_IMAGE_PULL', `${where} is no OCI layout and no Docker archive, or it is damaged`, {
    cause,
    hint: 'make one with `docker save -o image.tar NAME` or `skopeo copy … oci:DIRECTORY`',
  })

async function readJson<T>(path: string): Promise<T> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch (cause) {
    throw damaged(path, cause)
  }
}

/** A path within a directory, whatever an archive says: one that leads out is damage. */
function within(directory: string, name: string): string {
  const path = join(directory, name)
  if (!path.startsWith(`${directory}${sep}`)) throw damaged(path)
  return path
}

interface Descriptor {
  readonly mediaType?: string
  readonly digest: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly platform?: { readonly architecture?: string; readonly os?: string }
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm: 'arm', arm64: 'arm64' }

/** The file of a blob, once its bytes are what its name says. */
async function blob(directory: string, digest: string): Promise<string> {
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(digest) ?? []
  if (hex === undefined) throw damaged(`${directory}: ${digest}`)
  const path = join(directory, 'blobs', 'sha256', hex)
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash).catch((cause: unknown) => {
    throw damaged(path, cause)
  })
  if (hash.digest('hex') !== hex) throw damaged(path)
  return path
}

async function imagesOfLayout(directory: string): Promise<readonly PackedImage[]> {
  const { manifests = [] } = await readJson<{ manifests?: readonly Descriptor[] }>(join(directory, 'index.json'))
  const images = manifests.map(async (entry): Promise<readonly PackedImage[]> => {
    const name = entry.annotations?.['io.containerd.image.name'] ?? entry.annotations?.['org.opencontainers.image.ref.name']
    let manifest = await readJson<{ manifests?: readonly Descriptor[]; config?: Descriptor; layers?: readonly Descriptor[] }>(
      await blob(directory, entry.digest),
    )
    if (manifest.manifests !== undefined) {
      const fitting = manifest.manifests.find(
        ({ platform }) => platform === undefined || (platform.os === 'linux' && platform.architecture === architectures[process.arch]),
      )
      if (fitting === undefined) return []
      manifest = await readJson(await blob(directory, fitting.digest))
    }
    if (manifest.config === undefined) return []
    return [
      {
        names: name === undefined ? [] : [name],
        id: manifest.config.digest.replace('sha256:', ''),
        config: await readJson<object>(await blob(directory, manifest.config.digest)),
        layers: await Promise.all((manifest.layers ?? []).map(({ digest }) => blob(directory, digest))),
      },
    ]
  })
  return (await Promise.all(images)).flat()
}

async function imagesOfArchive(directory: string): Promise<readonly PackedImage[]> {
  interface Entry {
    readonly Config: string
    readonly RepoTags?: readonly string[] | null
    readonly Layers: readonly string[]
  }
  const entries = await readJson<readonly Entry[]>(join(directory, 'manifest.json'))
  return Promise.all(
    entries.map(async ({ Config, RepoTags, Layers }) => {
      const bytes = await readFile(within(directory, Config))
      return {
        names: RepoTags ?? [],
        id: createHash('sha256').update(bytes).digest('hex'),
        config: JSON.parse(bytes.toString()) as object,
        layers: Layers.map((layer) => within(directory, layer)),
      }
    }),
  )
}

/**
 * Hands the images of a path to `use`: of an OCI layout, of a Docker archive, or of either in a tar file, which is unpacked into `scratch` for as long.
 * @throws RuntimeError `RUNTIME_IMAGE_PULL` when it is none of these.
 */
export async function withImages<T>(path: string, scratch: string, use: (images: readonly PackedImage[]) => Promise<T>): Promise<T> {
  const packed = !(await lstat(path)).isDirectory()
  const directory = packed ? scratch : path
  try {
    if (packed) {
      await mkdir(scratch, { recursive: true })
      await run('tar', ['--extract', '--file', path, '--directory', scratch, '--no-same-owner']).catch((cause: unknown) => {
        throw damaged(path, cause)
      })
    }
    // Newer Docker archives are both; their tags are in the manifest.
    if (existsSync(join(directory, 'manifest.json'))) return await use(await imagesOfArchive(directory))
    if (existsSync(join(directory, 'index.json'))) return await use(await imagesOfLayout(directory))
    throw damaged(path)
  } finally {
    if (packed) await rm(scratch, { recursive: true, force: true })
  }
}

const whiteout = '.wh.'
const opaque = '.wh..wh..opq'

/** What a layer takes away from those below it: paths to remove, directories to empty. Pure. */
export function whiteouts(names: readonly string[]): { readonly remove: readonly string[]; readonly empty: readonly string[] } {
  const found = names
    .map((name) => name.replace(/^(\.?\/)+/, ''))
    .filter((name) => name.slice(name.lastIndexOf('/') + 1).startsWith(whiteout))
  const parent = (name: string): string => (name.includes('/') ? dirname(name) : '.')
  return {
    empty: found.filter((name) => name.endsWith(opaque)).map(parent),
    remove: found
      .filter((name) => !name.slice(name.lastIndexOf('/') + 1).startsWith('.wh..wh.'))
      .map((name) => join(parent(name), name.slice(name.lastIndexOf('/') + 1 + whiteout.length))),
  }
}

/** Unpacks layers one over the other into one tree. */
export async function unpackLayers(layers: readonly string[], root: string): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o755 })
  for (const layer of layers) {
    const { stdout } = await run('tar', ['--list', '--file', layer], { maxBuffer: 1 << 28 })
    const { remove, empty } = whiteouts(stdout.split('\n').filter(Boolean))
    for (const name of [...remove, ...empty]) {
      const path = join(root, name)
      // A directory of the image may be a link that leads out of it.
      const held = await realpath(dirname(path)).catch(() => undefined)
      if (held !== undefined && (held === root || held.startsWith(`${root}${sep}`)) && path !== root)
        await rm(path, { recursive: true, force: true })
    }
    await run('tar', [
      '--extract',
      '--file',
      layer,
      '--directory',
      root,
      '--numeric-owner',
      '--preserve-permissions',
      '--xattrs',
      `--exclude=${whiteout}*`,
    ])
  }
}
