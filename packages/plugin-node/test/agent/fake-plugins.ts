import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { definePlugin } from '@continuo/core'
import { type ProbeResult, type Prober, ProberCap, type Runtime, RuntimeCap, type VolumeDriver, VolumeDriverCap } from '@continuo/workload'

export const runtimePlugin = (runtime: Runtime) =>
  definePlugin({
    name: 'runtime-simulated',
    api: '^1',
    roles: ['node'],
    provides: [RuntimeCap],
    setup: (ctx) => ctx.provide(RuntimeCap, runtime),
  })

/** Probers that answer what a test says, and count how often they are asked. */
export class FakeProbes {
  /** What an `httpGet` of a path gives: an outcome, an error that is thrown, or nothing at all. */
  readonly answers = new Map<string, ProbeResult['outcome'] | 'throws' | 'hangs'>()
  readonly asked = new Map<string, number>()

  readonly plugin = definePlugin({
    name: 'probe-fake',
    api: '^1',
    roles: ['node'],
    provides: [ProberCap],
    setup: (ctx) => ctx.provide(ProberCap, this.#prober, 'httpGet'),
  })

  readonly #prober: Prober = {
    run: async ({ handler }) => {
      const path = String(handler.path)
      this.asked.set(path, (this.asked.get(path) ?? 0) + 1)
      const answer = this.answers.get(path) ?? 'success'
      if (answer === 'throws') throw new TypeError('a prober must not throw')
      if (answer === 'hangs') return new Promise<ProbeResult>(() => {})
      return { outcome: answer, message: `HTTP probe said ${answer}` }
    },
  }
}

/** Volumes as plain directories: enough to see what the agent asks of drivers. */
export class FakeVolumes {
  readonly mounted: string[] = []
  readonly unmounted: string[] = []

  readonly #emptyDir: VolumeDriver = {
    refreshes: false,
    mount: async ({ directory, volumeName, podName }) => {
      this.mounted.push(`${podName}/${volumeName}`)
      await mkdir(directory, { recursive: true })
      return { hostPath: directory }
    },
    unmount: async ({ directory, volumeName, podName }) => {
      this.unmounted.push(`${podName}/${volumeName}`)
      await rm(directory, { recursive: true, force: true })
    },
  }

  readonly #configMap: VolumeDriver = {
    ...this.#emptyDir,
    refreshes: true,
    mount: async (request, objects) => {
      const name = String(request.source.name)
      const data = await objects.configMap(request.namespace, name)
      if (data === undefined) throw new TypeError(`configmap "${name}" not found`)
      await mkdir(request.directory, { recursive: true })
      for (const [key, value] of data) await replaceFile(join(request.directory, key), value)
      return { hostPath: request.directory }
    },
  }

  readonly #downwardApi: VolumeDriver = {
    ...this.#emptyDir,
    refreshes: true,
    mount: async (request, objects) => {
      await mkdir(request.directory, { recursive: true })
      for (const item of request.source.items as {
        path: string
        fieldRef?: Record<string, unknown>
        resourceFieldRef?: Record<string, unknown>
      }[])
        await replaceFile(join(request.directory, item.path), objects.field(item.fieldRef ?? item.resourceFieldRef ?? {}))
      return { hostPath: request.directory }
    },
  }

  readonly plugin = definePlugin({
    name: 'volume-fake',
    api: '^1',
    roles: ['node'],
    provides: [VolumeDriverCap],
    setup: (ctx) => {
      ctx.provide(VolumeDriverCap, this.#emptyDir, 'emptyDir')
      ctx.provide(VolumeDriverCap, this.#configMap, 'configMap')
      ctx.provide(VolumeDriverCap, this.#downwardApi, 'downwardAPI')
    },
  })
}

/** A file of a volume, or undefined while it is not there. */
export const fileOf = (...path: string[]): Promise<string | undefined> => readFile(join(...path), 'utf8').catch(() => undefined)

async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, content)
  await rename(`${path}.new`, path)
}
