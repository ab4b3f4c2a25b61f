import { beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Bench } from './cluster.ts'
import { configMap, cronTab, deployment } from './objects.ts'

/** `describe` and `events`: what a user reads when something is to be understood. */
export function describingCases(bench: () => Bench): void {
  beforeAll(async () => {
    const { feed, ok } = bench()
    await feed([deployment('web'), configMap('settings', { mode: 'quick' }), cronTab('tab', { image: 'x' })], 'create', '-f', '-')
    await ok('create', 'secret', 'generic', 'keys', '--from-literal=token=abc')
    await ok('expose', 'deployment', 'web', '--port=80', '--target-port=8080')
    await ok('rollout', 'status', 'deploy/web', '--timeout=40s')
  })

  test('describe tells of a deployment, its replica set and its pod', async () => {
    const { ok } = bench()
    const told = await ok('describe', 'deployment', 'web')
    expect(told).toMatch(/Replicas:\s+1 desired \| 1 updated \| 1 total \| 1 available \| 0 unavailable/)
    expect(told).toMatch(/StrategyType:\s+RollingUpdate/)
    expect(told).toMatch(/Available\s+True\s+MinimumReplicasAvailable/)
    expect(told).toMatch(/NewReplicaSet:\s+web-\w+ \(1\/1 replicas created\)/)
    await eventually(async () =>
      expect(await ok('describe', 'deploy/web')).toMatch(/Normal\s+ScalingReplicaSet.*deployment-controller.*Scaled up replica set web-/),
    )
    const set = await ok('describe', 'rs', '-l', 'app=web')
    expect(set).toMatch(/Controlled By:\s+Deployment\/web\nReplicas:\s+1 current \/ 1 desired\nPods Status:\s+1 Running/)
    await eventually(async () => {
      const conditions = '{range .items[0].status.conditions[*]}{.type}={.status}:{.reason}{.message};{end}'
      expect(await ok('get', 'pod', '-l', 'app=web', '-o', `jsonpath=${conditions}`)).toContain('Ready=True:;')
      const pod = await ok('describe', 'pod', '-l', 'app=web')
      expect(pod).toMatch(/Status:\s+Running/)
      expect(pod).toMatch(/Controlled By:\s+ReplicaSet\/web-/)
      expect(pod).toMatch(/State:\s+Running\n\s+Started:/)
      expect(pod).toMatch(/Ready\s+True/)
      expect(pod).toMatch(/QoS Class:\s+BestEffort/)
      for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) expect(pod).toMatch(new RegExp(`Normal\\s+${reason}`))
    })
  })

  test('describe tells of a node and what runs on it', async () => {
    const { ok } = bench()
    const node = (await ok('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[0].spec.nodeName}')).trim()
    const told = await ok('describe', 'node', node)
    expect(told).toMatch(/Ready\s+True.*KubeletReady/)
    expect(told).toMatch(/Capacity:\n\s+cpu:/)
    expect(told).toMatch(new RegExp(`Non-terminated Pods:[\\s\\S]*${bench().namespace}\\s+web-`))
    expect(told).toMatch(/HolderIdentity:/)
  })

  test('describe tells of a service and its endpoints', async () => {
    const { ok, stored } = bench()
    const service = await stored('services', 'web')
    await eventually(async () => {
      const told = await ok('describe', 'svc', 'web')
      expect(told).toMatch(new RegExp(`IP:\\s+${service.spec.clusterIP}`))
      expect(told).toMatch(/Endpoints:\s+127\.\d+\.\d+\.\d+:8080/)
      expect(told).toMatch(/Selector:\s+app=web/)
    })
  })

  test('describe tells of a namespace, a config map, a secret and a service account', async () => {
    const { ok, namespace } = bench()
    expect(await ok('describe', 'ns', namespace)).toMatch(/Status:\s+Active[\s\S]*No resource quota\./)
    expect(await ok('describe', 'cm', 'settings')).toMatch(/mode:\n----\nquick/)
    const secret = await ok('describe', 'secret', 'keys')
    expect(secret).toMatch(/Type:\s+Opaque[\s\S]*token:\s+3 bytes/)
    expect(secret).not.toContain('abc')
    expect(await ok('describe', 'sa', 'default')).toMatch(/Name:\s+default/)
  })

  test('describe tells of a custom resource and of its definition', async () => {
    const { ok } = bench()
    expect(await ok('describe', 'ct', 'tab')).toMatch(
      /API Version:\s+stable.example.com\/v1\nKind:\s+CronTab[\s\S]*Spec:\n\s+Cron Spec:\s+\* \* \* \* 5\n\s+Image:\s+x\n\s+Replicas:\s+1/,
    )
    expect(await ok('describe', 'crd', 'crontabs.stable.example.com')).toMatch(/Type:\s+Established/)
  })

  test('describe says that an object is missing', async () => {
    expect(await bench().refused('describe', 'cm', 'none')).toBe('Error from server (NotFound): configmaps "none" not found\n')
  })

  test('events lists what happened, of all and of one object', async () => {
    const { ok } = bench()
    await eventually(async () =>
      expect(await ok('events', '--for', 'deployment/web')).toMatch(/ScalingReplicaSet\s+Deployment\/web\s+Scaled up/),
    )
    expect(await ok('events', '--types=Warning', '--for', 'deployment/web')).not.toContain('ScalingReplicaSet')
    expect(await ok('get', 'events', '--field-selector', 'involvedObject.kind=Deployment,reason=ScalingReplicaSet', '-o', 'name')).toMatch(
      /^event\/web\./,
    )
    expect(
      await ok('get', 'events.events.k8s.io', '--field-selector', 'regarding.kind=Deployment', '-o', 'jsonpath={.items[0].note}'),
    ).toContain('Scaled up')
  })
}
