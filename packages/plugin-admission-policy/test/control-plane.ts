import {
  type AnyPlugin,
  createHost,
  type Host,
  type KubeObject,
  MetricsCap,
  memoryStore,
  type ObjectClient,
  ObjectClientCap,
  type ObjectService,
  ObjectServiceCap,
  systemClock,
} from '@continuo/core'
import {
  type ConfigMap,
  type Deployment,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  workloadKinds,
} from '@continuo/workload'
import { onTestFinished } from 'vitest'
import { mutatingAdmissionPolicy, validatingAdmissionPolicy } from '../src/index.ts'

export interface ControlPlane {
  readonly host: Host
  readonly client: ObjectClient
  readonly service: ObjectService
  /** Makes a policy for creations and updates of deployments, and config maps, with one binding that denies. */
  validating(name: string, spec: object, binding?: object): Promise<void>
  mutating(name: string, spec: object, binding?: object): Promise<void>
  metrics(): Promise<string>
}

const apiVersion = 'admissionregistration.k8s.io/v1'
const operations = ['CREATE', 'UPDATE']
export const deploymentRule = { operations, apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }
export const configMapRule = { operations, apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }

export const untyped = <T extends KubeObject>(object: unknown): T => object as T

export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 5_000): Promise<T> {
  const deadline = systemClock.monotonic() + timeoutMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (systemClock.monotonic() > deadline) throw error
      await systemClock.sleep(5)
    }
  }
}

/** A control plane in this process: memory store, workload kinds, policies, and what else is given. */
export async function startControlPlane(more: Readonly<Record<string, AnyPlugin>> = {}): Promise<ControlPlane> {
  const plugins: Record<string, AnyPlugin> = {
    store: memoryStore,
    kinds: workloadKinds,
    'admission-policy-mutating': mutatingAdmissionPolicy,
    'admission-policy-validating': validatingAdmissionPolicy,
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
  const matchConstraints = { resourceRules: [deploymentRule, configMapRule] }
  return {
    host,
    client,
    service: host.use(ObjectServiceCap),
    async validating(name, spec, binding = {}) {
      await client
        .for(ValidatingAdmissionPolicy)
        .create(untyped({ apiVersion, kind: 'ValidatingAdmissionPolicy', metadata: { name }, spec: { matchConstraints, ...spec } }))
      await client.for(ValidatingAdmissionPolicyBinding).create(
        untyped({
          apiVersion,
          kind: 'ValidatingAdmissionPolicyBinding',
          metadata: { name: `${name}-b` },
          spec: { policyName: name, validationActions: ['Deny'], ...binding },
        }),
      )
    },
    async mutating(name, spec, binding = {}) {
      await client.for(MutatingAdmissionPolicy).create(
        untyped({
          apiVersion,
          kind: 'MutatingAdmissionPolicy',
          metadata: { name },
          spec: { matchConstraints, reinvocationPolicy: 'Never', ...spec },
        }),
      )
      await client.for(MutatingAdmissionPolicyBinding).create(
        untyped({
          apiVersion,
          kind: 'MutatingAdmissionPolicyBinding',
          metadata: { name: `${name}-b` },
          spec: { policyName: name, ...binding },
        }),
      )
    },
    metrics: () => host.use(MetricsCap).expose(),
  }
}

export const deployment = (name: string, replicas: number, labels: Record<string, string> = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default', labels },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
  },
})

export const configMap = (name: string, data: Record<string, string> = {}, more: object = {}): ConfigMap =>
  untyped({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', ...more }, data })
