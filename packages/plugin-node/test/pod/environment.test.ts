import { describe, expect, it } from 'vitest'
import { type EnvironmentInput, environmentOf, serviceLinks } from '../../src/pod/environment.ts'
import { expand } from '../../src/pod/expand.ts'
import { pod } from './observation.ts'

const bytes = (values: Record<string, string>) =>
  new Map(Object.entries(values).map(([key, value]) => [key, new TextEncoder().encode(value)]))

const input = (container: EnvironmentInput['container']): EnvironmentInput => ({
  pod: pod({ serviceAccountName: 'bot' }, { metadata: { name: 'web', namespace: 'default', uid: 'u1', labels: { tier: 'front' } } }),
  container,
  podIPs: ['10.0.0.2'],
  nodeIPs: ['192.0.2.1'],
  nodeName: 'n1',
  allocatable: { cpu: '2', memory: '1Gi' },
  services: [],
  source: {
    configMap: async (_, name) => (name === 'settings' ? bytes({ COLOUR: 'blue', SIZE: 'big' }) : undefined),
    secret: async (_, name) => (name === 'keys' ? bytes({ token: 's3cret' }) : undefined),
  },
})

const values = async (container: EnvironmentInput['container']) =>
  Object.fromEntries((await environmentOf(input(container))).map(({ name, value }) => [name, value]))

describe('expand', () => {
  it.each([
    ['$(A)-$(B)', '1-$(B)'],
    ['$$(A)', '$(A)'],
    ['$A', '$A'],
    ['100$', '100$'],
  ])('turns %s into %s', (text, expected) => {
    expect(expand(text, (name) => ({ A: '1' })[name])).toBe(expected)
  })
})

describe('environmentOf', () => {
  it('takes whole objects with a prefix, single keys, and fields of the pod', async () => {
    expect(
      await values({
        name: 'main',
        envFrom: [{ prefix: 'CFG_', configMapRef: { name: 'settings' } }],
        env: [
          { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
          { name: 'ME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'TIER', valueFrom: { fieldRef: { fieldPath: "metadata.labels['tier']" } } },
          { name: 'URL', value: 'http://$(ME)/$(CFG_COLOUR)' },
        ],
      }),
    ).toEqual({ CFG_COLOUR: 'blue', CFG_SIZE: 'big', TOKEN: 's3cret', ME: 'web', TIER: 'front', URL: 'http://web/blue' })
  })

  it('divides and rounds up resources, and takes the node for a limit that is not set', async () => {
    const container = {
      name: 'main',
      resources: { requests: { cpu: '250m' } },
      env: [
        { name: 'REQUEST', valueFrom: { resourceFieldRef: { resource: 'requests.cpu', divisor: '1m' } } },
        { name: 'LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
        { name: 'CORES', valueFrom: { resourceFieldRef: { resource: 'requests.cpu' } } },
      ],
    }
    expect(await values(container)).toEqual({ REQUEST: '250', LIMIT: '1024', CORES: '1' })
  })

  it('names a missing object or key, and skips optional ones', async () => {
    const ref = (name: string, key: string, optional?: boolean) => ({
      name: 'main',
      env: [{ name: 'X', valueFrom: { configMapKeyRef: { name, key, optional } } }],
    })
    await expect(values(ref('gone', 'a'))).rejects.toMatchObject({ code: 'NODE_CONTAINER_CONFIG', message: 'configmap "gone" not found' })
    await expect(values(ref('settings', 'nope'))).rejects.toMatchObject({ message: "couldn't find key nope in ConfigMap default/settings" })
    expect(await values(ref('gone', 'a', true))).toEqual({})
  })
})

describe('serviceLinks', () => {
  it('names host and ports, and leaves headless services out', () => {
    const service = (name: string, clusterIP: string) => ({
      apiVersion: 'v1' as const,
      kind: 'Service' as const,
      metadata: { name },
      spec: { clusterIP, ports: [{ name: 'http', port: 80, protocol: 'TCP' as const }] },
    })
    const links = Object.fromEntries(serviceLinks([service('my-web', '10.96.0.5'), service('none', 'None')]))
    expect(links).toMatchObject({
      MY_WEB_SERVICE_HOST: '10.96.0.5',
      MY_WEB_SERVICE_PORT: '80',
      MY_WEB_SERVICE_PORT_HTTP: '80',
      MY_WEB_PORT_80_TCP_ADDR: '10.96.0.5',
    })
    expect(Object.keys(links).some((name) => name.startsWith('NONE'))).toBe(false)
  })
})
