import type { Readable } from 'node:stream'
import type { Clock, Log } from '@continuo/core'
import { type ImageState, type RegistryAuth, RuntimeError } from '@continuo/workload'
import type { Daemon, ImageInspectInfo } from '../daemon/daemon.ts'
import { saying, statusOf } from '../daemon/daemon-error.ts'
import { type Progress, readProgress } from './progress.ts'

export interface ImagesOptions {
  readonly daemon: Daemon
  readonly clock: Clock
  readonly log: Log
  /** A pull without progress for so long is given up. */
  readonly stallMs: number
}

const none = '<none>:<none>'

/** The daemon's images. A name that is none is `RUNTIME_INVALID_SPEC`. */
export class Images {
  readonly #options: ImagesOptions

  constructor(options: ImagesOptions) {
    this.#options = options
  }

  async list(): Promise<readonly ImageState[]> {
    const found = await this.#options.daemon.call('list images', (docker, abortSignal) => docker.listImages({ abortSignal }))
    return found.map(({ Id, RepoTags, RepoDigests, Size }) => ({
      id: Id,
      tags: [...(RepoTags ?? []), ...(RepoDigests ?? [])].filter((tag) => tag !== none && !tag.startsWith('<none>')),
      bytes: Size,
    }))
  }

  async find(image: string): Promise<ImageInspectInfo | undefined> {
    return this.#options.daemon.call(
      `look for image "${image}"`,
      async (docker) => {
        try {
          return await docker.getImage(encodeName(image)).inspect()
        } catch (error) {
          if (statusOf(error) === 404) return undefined
          throw error
        }
      },
      { code: 'RUNTIME_INVALID_SPEC', hint: 'an image is named as REGISTRY/NAME:TAG in lower case' },
    )
  }

  /** Resolves with the image's id. Throws `RUNTIME_IMAGE_PULL` with what the registry said. */
  async pull(image: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<string> {
    const { daemon, clock } = this.#options
    // The daemon would ask the network about some names that are none.
    await this.find(image)
    const stalled = new AbortController()
    let cancel = (): void => {}
    const goesOn = (): void => {
      cancel()
      cancel = clock.after(this.#options.stallMs, () => stalled.abort())
    }
    goesOn()
    try {
      const abortSignal = AbortSignal.any([signal, stalled.signal])
      const progress = (await daemon.docker.createImage(authOf(auth), { ...fromImage(image), abortSignal })) as Readable
      const leave = (): void => void progress.destroy()
      abortSignal.addEventListener('abort', leave, { once: true })
      for await (const step of readProgress(progress)) {
        goesOn()
        this.#tell(image, step)
      }
      abortSignal.throwIfAborted()
    } catch (error) {
      signal.throwIfAborted()
      throw this.#pullError(image, error, stalled.signal.aborted)
    } finally {
      cancel()
    }
    const pulled = await this.find(image)
    if (pulled === undefined) throw new RuntimeError('RUNTIME_IMAGE_PULL', `image "${image}" was pulled but is not there`)
    return pulled.Id
  }

  async remove(image: string): Promise<void> {
    const { daemon } = this.#options
    await daemon.find(`remove image "${image}"`, (docker, abortSignal) => docker.getImage(encodeName(image)).remove({ abortSignal }))
  }

  #tell(image: string, { status, id, error, progressDetail }: Progress): void {
    if (error !== undefined) throw new RuntimeError('RUNTIME_IMAGE_PULL', `cannot pull image "${image}": ${error}`)
    this.#options.log.debug({ image, layer: id, status, ...progressDetail }, 'pulling an image')
  }

  #pullError(image: string, error: unknown, stalled: boolean): RuntimeError {
    const status = statusOf(error)
    if (stalled)
      return new RuntimeError('RUNTIME_IMAGE_PULL', `cannot pull image "${image}": no progress for ${this.#options.stallMs / 1000} s`, {
        cause: error,
        hint: 'look at the network and the registry; it is tried again',
      })
    if (status === undefined) return unanswered(image, error)
    const code = status === 400 ? 'RUNTIME_INVALID_SPEC' : 'RUNTIME_IMAGE_PULL'
    const hint =
      status === 400
        ? 'an image is named as REGISTRY/NAME:TAG in lower case'
        : 'see whether the image exists, and whether imagePullSecrets are needed'
    return new RuntimeError(code, `cannot pull image "${image}": ${saying(error)}`, { cause: error, hint })
  }
}

const unanswered = (image: string, error: unknown): RuntimeError =>
  error instanceof RuntimeError
    ? error
    : new RuntimeError('RUNTIME_UNAVAILABLE', `cannot pull image "${image}": Docker is not available: ${saying(error)}`, {
        cause: error,
        hint: 'see whether dockerd runs: docker info',
      })

/** Slashes belong to the path of the request; everything else that a path cannot hold is encoded. */
const encodeName = (image: string): string =>
  image.split('/').map(encodeURIComponent).join('/').replaceAll('%3A', ':').replaceAll('%40', '@')

/** A digest is part of the name; without a tag the daemon would pull all of them. Pure. */
export function fromImage(image: string): { readonly fromImage: string; readonly tag?: string } {
  if (image.includes('@')) return { fromImage: image }
  const colon = image.lastIndexOf(':')
  if (colon <= image.lastIndexOf('/')) return { fromImage: image, tag: 'latest' }
  return { fromImage: image.slice(0, colon), tag: image.slice(colon + 1) }
}

const authOf = (auth: RegistryAuth | undefined) =>
  auth === undefined
    ? undefined
    : {
        username: auth.username ?? '',
        password: auth.password ?? '',
        serveraddress: auth.serverAddress ?? '',
        ...(auth.identityToken === undefined ? {} : { identitytoken: auth.identityToken }),
      }
