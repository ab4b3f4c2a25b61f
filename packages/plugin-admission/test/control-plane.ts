import {
  type AnyPlugin,
  createHost,
  type Host,
  type KubeObject,
  memoryStore,
  type ObjectClient,
  ObjectClientCap,
  systemClock,
} from '@continuo/core'
import { Pod, type PodSpec, ResourceQuota, workloadKinds } from '@continuo/workload'
import { onTestFinished } from 'vitest'

export interface ControlPlane {
  readonly host: Host
  readonly client: ObjectClient
}

/** A plugin, alone or with its configuration. */
export type Slot = AnyPlugin | { readonly plugin: AnyPlugin; readonly config: unknown }

/** A control plane in this process with memory store, workload kinds and the given plugins. */
export async function startControlPlane(plugins: Readonly<Record<string, Slot>>): Promise<ControlPlane> {
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    plugins: Object.entries({ store: memoryStore as Slot, kinds: workloadKinds as Slot, ...plugins }).map(([slot, each]) => ({
      slot,
      ...('plugin' in each ? each : { plugin: each }),
    })),
  })
  await host.start()
  onTestFinished(() => host.stop())
  return { host, client: host.use(ObjectClientCap) }
}

export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 5_000): Promise<T> {
  const deadline = systemClock.monotonic() + timeoutMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (systemClock.monotonic() > deadline) throw error
    }
    await systemClock.sleep(5)
  }
}

export const pod = (name: string, spec: Partial<PodSpec> = {}, more: Partial<KubeObject['metadata']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', ...more },
  spec: { containers: [{ name: 'c', image: 'x' }], ...spec },
})

export const quota = (
  name: string,
  hard: Record<string, string>,
  spec: Partial<NonNullable<ResourceQuota['spec']>> = {},
): ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name, namespace: 'default' },
  spec: { hard, ...spec },
})

export const createPod = ({ client }: ControlPlane, name: string, spec?: Partial<PodSpec>): Promise<Pod> =>
  client.for(Pod).create(pod(name, spec))

export const createQuota = ({ client }: ControlPlane, ...args: Parameters<typeof quota>): Promise<ResourceQuota> =>
  client.for(ResourceQuota).create(quota(...args))

export const usedOf = async ({ client }: ControlPlane, name: string): Promise<Record<string, string> | undefined> =>
  (await client.for(ResourceQuota).get({ namespace: 'default', name })).status?.used
