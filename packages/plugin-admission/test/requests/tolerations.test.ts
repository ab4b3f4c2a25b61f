import type { Toleration } from '@continuo/workload'
import { expect, it } from 'vitest'
import { mergeTolerations } from '../../src/requests/tolerations.ts'

const gpu: Toleration = { key: 'gpu', operator: 'Exists' }

it.each<[string, Toleration[], Toleration[], Toleration[]]>([
  ['both when they differ', [gpu], [{ key: 'x', operator: 'Exists' }], [gpu, { key: 'x', operator: 'Exists' }]],
  ['one of two equal ones', [gpu], [gpu], [gpu]],
  ['what bears more', [{ ...gpu, effect: 'NoSchedule' }], [gpu], [gpu]],
  ['what bears all', [gpu], [{ operator: 'Exists' }], [{ operator: 'Exists' }]],
  [
    'a value beside another value',
    [{ key: 'a', value: '1' }],
    [{ key: 'a', value: '2' }],
    [
      { key: 'a', value: '1' },
      { key: 'a', value: '2' },
    ],
  ],
  ['what bears longer', [{ ...gpu, tolerationSeconds: 5 }], [{ ...gpu, tolerationSeconds: 9 }], [{ ...gpu, tolerationSeconds: 9 }]],
])('keeps %s', (_name, first, second, merged) => {
  expect(mergeTolerations(first, second)).toEqual(merged)
})
