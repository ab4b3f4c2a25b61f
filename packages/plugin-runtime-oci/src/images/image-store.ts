import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Log } from '@continuo/core'
import { Turns } from '@continuo/lib-container-shim'
import { type ImageState, RuntimeError } from '@continuo/workload'
import { unpackLayers, withImages } from './archive.ts'
import { canonicalName, type ImageFacts, imageFacts } from './image-facts.ts'

/** An image that is unpacked. */
export interface StoredImage {
  readonly id: string
  readonly names: readonly string[]
  readonly facts: ImageFacts
  readonly bytes: number
  /** Directory of its files. */
  readonly root: string
}

type ImageRecord = Omit<StoredImage, 'root'>

/** Images as directories: `<directory>/<id>/root`, and what is known of each in `image.json`, which is written last. */
export class ImageStore {
  readonly #directory: string
  readonly #sources: readonly string[]
  readonly #log: Log
  readonly #turns = new Turns()
  /** Source files that were looked at: path to size and time of change. */
  readonly #seen = new Map<string, string>()
  #images: Map<string, StoredImage> | undefined

  constructor(directory: string, sources: readonly string[], log: Log) {
    this.#directory = directory
    this.#sources = sources.map((source) => resolve(source))
    this.#log = log
  }

  async list(): Promise<readonly ImageState[]> {
    return [...(await this.#load()).values()].map(({ id, names, bytes }) => ({ id: `sha256:${id}`, tags: names, bytes }))
  }

  /** By name or by id; the sources are looked through when it is not there. */
  async find(image: string): Promise<StoredImage | undefined> {
    const known = lookup(await this.#load(), image)
    if (known !== undefined) return known
    await this.import()
    return lookup(await this.#load(), image)
  }

  /** @throws RuntimeError `RUNTIME_IMAGE_NOT_PRESENT` */
  async require(image: string): Promise<StoredImage> {
    const found = await this.find(image)
    if (found === undefined)
      throw new RuntimeError('RUNTIME_IMAGE_NOT_PRESENT', `image "${image}" is not present`, {
        hint: this.#sources.length === 0 ? 'set `images` of the runtime' : `bring it to ${this.#sources.join(' or ')}`,
      })
    return found
  }

  /** Takes in what is new in the sources. One that is damaged is logged and passed over. */
  import(): Promise<void> {
    return this.#turns.take('import', async () => {
      for (const source of await this.#candidates()) {
        const { size, mtimeMs } = await stat(source)
        const mark = `${size} ${mtimeMs}`
        if (this.#seen.get(source) === mark) continue
        try {
          await this.#take(source)
          this.#seen.set(source, mark)
        } catch (error) {
          this.#log.warn({ source, error: String(error) }, 'an image could not be imported')
        }
      }
    })
  }

  async remove(image: string): Promise<void> {
    const images = await this.#load()
    const found = lookup(images, image)
    if (found === undefined) return
    images.delete(found.id)
    await rm(join(this.#directory, found.id, 'image.json'), { force: true })
    await rm(join(this.#directory, found.id), { recursive: true, force: true })
  }

  /** Files and layouts: those that are named, and those in directories that are named. */
  async #candidates(): Promise<readonly string[]> {
    const found: string[] = []
    for (const source of this.#sources) {
      const state = await stat(source).catch(() => undefined)
      if (state === undefined) this.#log.warn({ source }, 'there is nothing at a path from which images should come')
      else if (!state.isDirectory() || existsSync(join(source, 'index.json'))) found.push(source)
      else
        for (const name of (await readdir(source)).sort())
          if (/\.tar(\.gz)?$/.test(name) || existsSync(join(source, name, 'index.json'))) found.push(join(source, name))
    }
    return found
  }

  async #take(source: string): Promise<void> {
    const images = await this.#load()
    await withImages(source, join(this.#directory, '.scratch'), async (packed) => {
      for (const { id, names, config, layers } of packed) {
        const path = join(this.#directory, id)
        const known = images.get(id)
        const tags = [...new Set([...(known?.names ?? []), ...names.map(canonicalName)])]
        if (known === undefined) {
          await rm(path, { recursive: true, force: true })
          await unpackLayers(layers, join(path, 'root'))
        }
        const sizes = await Promise.all(layers.map(async (layer) => (await stat(layer)).size))
        const record: ImageRecord = { id, names: tags, facts: imageFacts(config), bytes: sizes.reduce((sum, size) => sum + size, 0) }
        // A name leads to one image: the one that was taken in last.
        for (const other of images.values())
          if (other.id !== id && other.names.some((name) => tags.includes(name)))
            await this.#save({ ...other, names: other.names.filter((name) => !tags.includes(name)) })
        await this.#save(record)
      }
    })
  }

  async #save({ id, names, facts, bytes }: ImageRecord): Promise<void> {
    const path = join(this.#directory, id, 'image.json')
    await writeFile(`${path}.new`, JSON.stringify({ id, names, facts, bytes }), { flush: true })
    await rename(`${path}.new`, path)
    this.#images?.set(id, { id, names, facts, bytes, root: join(this.#directory, id, 'root') })
  }

  async #load(): Promise<Map<string, StoredImage>> {
    if (this.#images !== undefined) return this.#images
    await mkdir(this.#directory, { recursive: true, mode: 0o711 })
    const found = new Map<string, StoredImage>()
    for (const id of await readdir(this.#directory)) {
      const text = await readFile(join(this.#directory, id, 'image.json'), 'utf8').catch(() => undefined)
      if (text !== undefined) found.set(id, { ...(JSON.parse(text) as ImageRecord), root: join(this.#directory, id, 'root') })
    }
    this.#images ??= found
    return this.#images
  }
}

function lookup(images: ReadonlyMap<string, StoredImage>, image: string): StoredImage | undefined {
  const id = image.replace(/^sha256:/, '')
  const name = canonicalName(image)
  return images.get(id) ?? [...images.values()].find(({ names }) => names.includes(name))
}
