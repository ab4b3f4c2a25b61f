import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { silentLog, systemClock } from '@continuo/core'
import { DockerRuntime, runtimeDockerConfig } from '@continuo/plugin-runtime-docker'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Daemon } from '../../packages/plugin-runtime-docker/src/daemon/daemon.ts'
import { ImageCollector } from '../../packages/plugin-runtime-docker/src/images/image-collector.ts'
import { type Docker, dockerMissing, dockerNote, startDocker } from '../support/docker.ts'
import { Pods } from './harness.ts'
import { type Registry, startRegistry } from './registry.ts'

const soon = () => AbortSignal.timeout(20_000)

describe.skipIf(dockerMissing !== undefined)(`images on a real dockerd${dockerNote}`, () => {
  let docker: Docker
  let pods: Pods
  let layer: Buffer
  beforeAll(async () => {
    docker = await startDocker()
    pods = new Pods(docker)
    layer = execFileSync('tar', ['-C', join(docker.directory, 'root'), '-c', '.'], { maxBuffer: 64 * 1024 * 1024 })
  })
  afterAll(() => docker?.stop())

  async function registry(user?: { name: string; password: string }): Promise<Registry> {
    const started = await startRegistry(docker.hostAddress, layer, user)
    onTestFinished(() => started.close())
    return started
  }

  it('pulls an image, runs it, lists it and removes it', async () => {
    const image = `${(await registry()).address}/shop:1`
    expect(await pods.runtime.imagePresent(image)).toBe(false)
    const id = await pods.runtime.pullImage(image, undefined, soon())
    expect(await pods.runtime.pullImage(image, undefined, soon())).toBe(id)
    expect(await pods.output('a', '', { image, command: [] })).toBe('from the registry')
    expect(await pods.state('a')).toMatchObject({ image, imageId: id })
    expect((await pods.runtime.images()).find((one) => one.id === id)).toMatchObject({ tags: expect.arrayContaining([image]) })
    await pods.clear()
    await pods.runtime.removeImage(image)
    await pods.runtime.removeImage(image)
    expect(await pods.runtime.imagePresent(image)).toBe(false)
  })

  it('shows the credentials that it was given, and says what the registry said without them', async () => {
    const user = { name: 'shop', password: 'secret' }
    const { address } = await registry(user)
    const image = `${address}/shop:1`
    const refused = pods.runtime.pullImage(image, undefined, soon())
    await expect(refused).rejects.toMatchObject({ code: 'RUNTIME_IMAGE_PULL', message: expect.stringContaining(image) })
    const wrong = { username: 'shop', password: 'guess', serverAddress: address }
    const failed = await pods.runtime.pullImage(image, wrong, soon()).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'RUNTIME_IMAGE_PULL' })
    expect(String(failed)).not.toContain('guess')
    await pods.runtime.pullImage(image, { username: user.name, password: user.password, serverAddress: address }, soon())
    expect(await pods.runtime.imagePresent(image)).toBe(true)
    await pods.runtime.removeImage(image)
  })

  it('says of an image that it is nowhere, and of a name that it is none', async () => {
    const { address } = await registry()
    await expect(pods.runtime.pullImage(`${address}/shop:2`, undefined, soon())).rejects.toMatchObject({ code: 'RUNTIME_IMAGE_PULL' })
    for (const image of ['Shop/UPPER:1', 'a:b:c', '??'])
      for (const ask of [() => pods.runtime.imagePresent(image), () => pods.runtime.pullImage(image, undefined, soon())])
        await expect(ask()).rejects.toMatchObject({ code: 'RUNTIME_INVALID_SPEC', message: expect.stringContaining(image) })
  })

  it('gives up a pull that goes nowhere, or that nobody wants any more', async () => {
    const slow = await registry()
    slow.stall()
    const config = {
      ...runtimeDockerConfig.parse({ socket: docker.socket, cgroupParent: docker.cgroupParent, pullStallSeconds: 0.5 }),
      owner: 'x',
    }
    const runtime = new DockerRuntime({ config, clock: systemClock, log: silentLog, hostAddress: () => '' })
    await expect(runtime.pullImage(`${slow.address}/shop:1`, undefined, soon())).rejects.toMatchObject({
      code: 'RUNTIME_IMAGE_PULL',
      message: expect.stringContaining('no progress'),
    })
    const unwanted = new AbortController()
    const pulling = pods.runtime.pullImage(`${slow.address}/shop:1`, undefined, unwanted.signal)
    setTimeout(() => unwanted.abort(), 200)
    await expect(pulling).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('makes room on a full disk: with what came from a registry and nobody has, and with nothing else', async () => {
    const image = `${(await registry()).address}/shop:1`
    const id = await pods.runtime.pullImage(image, undefined, soon())
    let used = 90
    const limits = { highPercent: 85, lowPercent: 80, minAgeSeconds: 0, everySeconds: 1 }
    const daemon = new Daemon(docker.socket, systemClock)
    const collector = new ImageCollector({
      daemon,
      clock: systemClock,
      log: silentLog,
      limits,
      diskUsage: async () => ({ used, total: 100 }),
    })
    await pods.run('a', 'sleep 600', { image })
    expect(await collector.collect()).toEqual([])
    await pods.clear()
    used = 85
    expect(await collector.collect()).toEqual([])
    used = 86
    expect(await collector.collect()).toEqual([id])
    expect([await pods.runtime.imagePresent(image), await pods.runtime.imagePresent(docker.image)]).toEqual([false, true])
  })

  it('brings the image of sandboxes back when somebody cleaned it up', async () => {
    await pods.run('a', 'exit 0')
    await pods.clear()
    const [pause] = (await pods.runtime.images()).filter(({ tags }) => tags.some((tag) => tag.startsWith('continuo/pause')))
    await pods.runtime.removeImage(pause?.tags[0] as string)
    expect(await pods.run('b', 'exit 0')).toMatchObject({ name: 'main' })
    await pods.clear()
  })
})
