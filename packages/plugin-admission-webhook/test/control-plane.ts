import {
  type AnyPlugin,
  ApiError,
  createHost,
  definePlugin,
  type Host,
  type KubeObject,
  MetricsCap,
  memoryStore,
  type ObjectClient,
  ObjectClientCap,
  type ObjectService,
  ObjectServiceCap,
} from '@continuo/core'
import { ClusterDialerCap, MutatingWebhookConfiguration, ValidatingWebhookConfiguration, workloadKinds } from '@continuo/workload'
import { onTestFinished } from 'vitest'
import { admissionWebhook } from '../src/index.ts'

export interface ControlPlane {
  readonly host: Host
  readonly client: ObjectClient
  readonly service: ObjectService
  /** Makes a configuration with these webhooks; what they leave out is a webhook for every creation of a config map. */
  mutating(name: string, ...webhooks: readonly object[]): Promise<void>
  validating(name: string, ...webhooks: readonly object[]): Promise<void>
  metrics(): Promise<string>
}

const apiVersion = 'admissionregistration.k8s.io/v1'
export const configMapRule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }

export const untyped = <T extends KubeObject>(object: unknown): T => object as T

/** The way to services of a cluster in which none has endpoints. */
const nowhere = definePlugin({
  name: 'nowhere',
  api: '^1',
  provides: [ClusterDialerCap],
  setup(ctx) {
    const refuse = async ({ name }: { readonly name: string }) => {
      throw new ApiError('ServiceUnavailable', `no endpoints available for service ${JSON.stringify(name)}`)
    }
    ctx.provide(ClusterDialerCap, { pod: refuse, service: refuse })
  },
})

/** A control plane in this process: memory store, workload kinds, admission webhooks, and what else is given. */
export async function startControlPlane(more: Readonly<Record<string, AnyPlugin>> = {}): Promise<ControlPlane> {
  const plugins: Record<string, AnyPlugin> = {
    store: memoryStore,
    kinds: workloadKinds,
    dialer: nowhere,
    'admission-webhook': admissionWebhook,
    ...more,
  }
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    leaderElection: false,
    plugins: Object.entries(plugins).map(([slot, plugin]) => ({ slot, plugin })),
  })
  await host.start()
  onTestFinished(() => host.stop())
  const client = host.use(ObjectClientCap)
  const webhooksOf = (name: string, webhooks: readonly object[]) =>
    webhooks.map((webhook, index) => ({
      name: `w${index}.${name}.io`,
      rules: [configMapRule],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      ...webhook,
    }))
  return {
    host,
    client,
    service: host.use(ObjectServiceCap),
    async mutating(name, ...webhooks) {
      const kind = 'MutatingWebhookConfiguration'
      await client
        .for(MutatingWebhookConfiguration)
        .create(untyped({ apiVersion, kind, metadata: { name }, webhooks: webhooksOf(name, webhooks) }))
    },
    async validating(name, ...webhooks) {
      const kind = 'ValidatingWebhookConfiguration'
      await client
        .for(ValidatingWebhookConfiguration)
        .create(untyped({ apiVersion, kind, metadata: { name }, webhooks: webhooksOf(name, webhooks) }))
    },
    metrics: () => host.use(MetricsCap).expose(),
  }
}

/** A config map of the default namespace. */
export const configMap = (name: string, data: Record<string, string> = {}, labels?: Record<string, string>) =>
  untyped<KubeObject & { data?: Record<string, string> }>({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', ...(labels === undefined ? {} : { labels }) },
    data,
  })
