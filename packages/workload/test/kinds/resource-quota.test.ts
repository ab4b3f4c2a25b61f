import type { FieldError } from '@continuo/core'
import { expect, it } from 'vitest'
import type { ResourceQuotaSpec } from '../../src/generated/types/core-v1.ts'
import { checkResourceQuota } from '../../src/kinds/core/check-resource-quota.ts'

const faults = (spec: ResourceQuotaSpec): string[] => {
  const errors: FieldError[] = []
  checkResourceQuota(spec, errors)
  return errors.map(({ field, message }) => `${field}: ${message}`)
}

it('takes everything that quotas count', () => {
  const names = [
    'pods',
    'requests.cpu',
    'limits.ephemeral-storage',
    'hugepages-2Mi',
    'requests.example.com/gpu',
    'count/widgets.demo.io',
    'services.nodeports',
    'gold.storageclass.storage.k8s.io/requests.storage',
  ]
  expect(faults({ hard: Object.fromEntries(names.map((name) => [name, '1'])) })).toEqual([])
  expect(faults({ hard: { 'gold.storageclass.storage.k8s.io/requests.storage': '1' }, scopes: ['VolumeAttributesClass'] })).toEqual([])
})

it.each<[ResourceQuotaSpec, string[]]>([
  [
    { hard: { foo: '1' } },
    [
      'spec.hard[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'spec.hard[foo]: Invalid value: "foo": must be a standard resource for quota',
    ],
  ],
  [{ hard: { pods: '1500m' } }, ['spec.hard[pods]: Invalid value: "1500m": must be an integer']],
  [{ hard: { 'requests.cpu': '-1' } }, ['spec.hard[requests.cpu]: Invalid value: "-1": must be greater than or equal to 0']],
  [
    { hard: { pods: '1' }, scopes: ['BestEffort', 'NotBestEffort'] },
    ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
  ],
  [
    { hard: { services: '1' }, scopes: ['Terminating'] },
    ['spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource'],
  ],
])('names what is wrong: %j', (spec, words) => {
  expect(faults(spec)).toEqual(words)
})
