import { join } from 'node:path'
import { ClockCap, createEventRecorder, definePlugin, HostSettingsCap, type ObjectClient, optional, withDeadline } from '@continuo/core'
import {
  ClusterDnsCap,
  NodeUplinkCap,
  Pod,
  ProberCap,
  type RegistryAuth,
  type Runtime,
  RuntimeCap,
  Service,
  ServiceAccount,
  VolumeDriverCap,
  type VolumeObjects,
} from '@continuo/workload'
import { type AgentConfig, agentConfig } from './agent-config.ts'
import { type Machine, readMachine } from './node/machine.ts'
import type { NodeFacts } from './node/node-object.ts'
import { Registration } from './node/registration.ts'
import { ClientConfigSource } from './pod/config-source.ts'
import { podField, resourceField } from './pod/environment.ts'
import { dockerConfigOf, registryAuth } from './pod/image-credentials.ts'
import type { PodView } from './pod/model.ts'
import { podDns } from './pod/pod-dns.ts'
import { PodManager } from './pod/pod-manager.ts'
import { PodTokens, type TokenAsked } from './pod/pod-tokens.ts'
import { RuntimeView } from './pod/runtime-view.ts'
import { VolumeManager } from './pod/volume-manager.ts'
import { AgentServer } from './server/agent-server.ts'
import { version } from './version.ts'

/** How long the runtime may take to say that it works, before the node is told not to be ready. */
const runtimeCheckMs = 5_000

/** A token of the pod's account, bound to the pod. */
async function requestToken(client: ObjectClient, pod: PodView, { audience, expirationSeconds }: TokenAsked): Promise<string> {
  const account = { namespace: pod.metadata.namespace ?? 'default', name: pod.spec?.serviceAccountName ?? 'default' }
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { name: account.name },
    spec: {
      audiences: audience === undefined ? [] : [audience],
      expirationSeconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid },
    },
  }
  const answer = await client.for(ServiceAccount).subresource('token').create(account, body)
  return (answer as unknown as { status: { token: string } }).status.token
}

/** Ends what runs on the node, all at once; its pods stay in the API and start again with the agent. */
async function stopEverything(runtime: Runtime, graceMs: number): Promise<void> {
  const sandboxes = await runtime.list()
  const running = sandboxes.flatMap((sandbox) =>
    sandbox.containers
      .filter((container) => container.state === 'running')
      .map((container) => ({ sandbox: sandbox.uid, name: container.name })),
  )
  await Promise.allSettled(running.map((container) => runtime.stop(container, graceMs)))
  await Promise.allSettled(sandboxes.map((sandbox) => runtime.removeSandbox(sandbox.uid)))
}

/** The node agent: registers the node, runs its pods through the composed runtime, and answers logs and exec. */
export const nodeAgent = definePlugin({
  name: 'node',
  api: '^1',
  roles: ['node'],
  config: agentConfig,
  requires: {
    clock: ClockCap,
    runtime: RuntimeCap,
    probers: ProberCap,
    volumes: VolumeDriverCap,
    uplink: optional(NodeUplinkCap),
    dns: optional(ClusterDnsCap),
    settings: optional(HostSettingsCap),
  },
  permissions: [
    { apiGroups: [''], resources: ['pods', 'nodes', 'services', 'configmaps', 'secrets'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['pods/status', 'nodes/status'], verbs: ['patch'] },
    { apiGroups: [''], resources: ['nodes', 'events'], verbs: ['create', 'patch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['delete'] },
    { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'patch'] },
  ],
  setup(ctx) {
    const config: AgentConfig = ctx.config
    const machine = readMachine()
    const nodeName = config.nodeName ?? machine.hostname
    const address = config.address ?? machine.address
    const { runtime } = ctx.use
    const pods = ctx.informer(Pod, { fieldSelector: `spec.nodeName=${nodeName}` })
    const services = ctx.informer(Service)
    const events = createEventRecorder({
      client: ctx.client,
      clock: ctx.clock,
      log: ctx.log,
      component: 'kubelet',
      host: nodeName,
      signal: ctx.signal,
    })
    const source = new ClientConfigSource(ctx.client)
    const allocatable = { cpu: config.capacity.cpu ?? machine.capacity.cpu, memory: config.capacity.memory ?? machine.capacity.memory }

    const view = new RuntimeView({
      runtime,
      clock: ctx.clock,
      log: ctx.log,
      changed: (uid) => manager.runtimeChanged(uid),
      looked: () => manager.reap(),
    })
    const environment = (pod: PodView) => ({
      nodeName,
      allocatable,
      source,
      services: services.lister.list(pod.metadata.namespace ?? 'default'),
      apiService: services.lister.get('default/kubernetes'),
    })
    const tokens = new PodTokens<PodView>(ctx.clock, (pod, asked) => requestToken(ctx.client, pod, asked))
    const volumeObjects = (pod: PodView): VolumeObjects => ({
      configMap: (namespace, name) => source.configMap(namespace, name),
      secret: (namespace, name) => source.secret(namespace, name),
      token: (asked) => tokens.token(pod.metadata.uid ?? '', pod, asked),
      field: (ref) =>
        ref.fieldPath === undefined
          ? resourceField({ pod, allocatable }, ref as unknown as Parameters<typeof resourceField>[1])
          : podField({ pod, podIPs: view.get(pod.metadata.uid ?? '')?.ips ?? [], nodeIPs: [address], nodeName }, String(ref.fieldPath)),
    })
    const credentials = async (pod: PodView, image: string): Promise<RegistryAuth | undefined> => {
      const names = (pod.spec?.imagePullSecrets ?? []).flatMap(({ name }) => (name === undefined ? [] : [name]))
      if (names.length === 0 || !runtime.features.pull) return undefined
      const secrets = await Promise.all(names.map((name) => source.secret(pod.metadata.namespace ?? 'default', name)))
      return registryAuth(
        image,
        secrets.map((data) => (data === undefined ? {} : dockerConfigOf(data))),
      )
    }
    const { nameservers, domain } = config.dns
    const clusterDns = nameservers === undefined ? undefined : { domain, nameservers }
    const manager = new PodManager({
      informer: pods,
      log: ctx.log,
      shared: {
        runtime,
        view,
        volumes: new VolumeManager(
          ctx.use.volumes,
          join(config.directory ?? join(ctx.use.settings?.dataDir ?? '.continuo', 'node', nodeName), 'pods'),
        ),
        client: ctx.client,
        clock: ctx.clock,
        log: ctx.log,
        events,
        containerLog: config.log,
        refreshMs: config.refreshMs,
        nodeIPs: () => [address],
        environment,
        volumeObjects,
        dns: (pod) => podDns(pod, { cluster: clusterDns ?? ctx.use.dns, file: config.dns.resolvConf }),
        credentials,
        prober: (handler) => ctx.use.probers.get(handler),
      },
    })
    const server = new AgentServer({ manager, runtime, log: ctx.log, clock: ctx.clock })
    const facts = async (): Promise<NodeFacts> => ({
      name: nodeName,
      machine: { ...machine, capacity: allocatable } satisfies Machine,
      labels: config.labels,
      taints: config.taints,
      maxPods: config.maxPods,
      address,
      runtime: { name: runtime.name, version: runtime.version },
      agentVersion: version,
      runtimeProblem: await withDeadline(ctx.clock, runtimeCheckMs, 'a look at the container runtime', () => runtime.check()).then(
        () => undefined,
        (error: unknown) => `container runtime is not ready: ${error instanceof Error ? error.message : error}`,
      ),
      now: ctx.clock.now(),
    })
    const registration = new Registration({ client: ctx.client, clock: ctx.clock, log: ctx.log, leaseSeconds: config.leaseSeconds, facts })

    ctx.onStart('controllers', async () => {
      await registration.start(ctx.signal)
      if (ctx.use.uplink !== undefined) {
        const offer = await ctx.use.uplink.offer(nodeName, (stream) => server.accept(stream))
        ctx.onStop(async () => offer[Symbol.asyncDispose]())
      }
      await manager.start()
      void view.follow(config.relistMs, ctx.signal)
    })
    ctx.onStop(async () => {
      await manager.release()
      if (config.onStop === 'stop') await stopEverything(runtime, config.stopGraceMs)
      await server.close()
      await events.close()
    })
  },
})
