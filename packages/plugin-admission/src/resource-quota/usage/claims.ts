import type { DeepReadonly } from '@continuo/core'
import { type ExactQuantity, parseQuantity, quantityValue } from '@continuo/lib-quantity'
import type { PersistentVolumeClaim } from '@continuo/workload'
import { one } from '../../amounts/amounts.ts'
import type { Evaluator } from '../evaluator.ts'
import { matchesNames } from '../scopes.ts'

const classSuffix = '.storageclass.storage.k8s.io/'
const betaClass = 'volume.beta.kubernetes.io/storage-class'
const counted = ['persistentvolumeclaims', 'requests.storage']

type Claim = DeepReadonly<PersistentVolumeClaim>

/** Counts claims and the storage that they ask for, in all and by storage class. */
export const claimEvaluator: Evaluator = {
  handles: ({ operation, subresource }) => (operation === 'CREATE' || operation === 'UPDATE') && subresource === undefined,
  counts: (name) =>
    name === 'count/persistentvolumeclaims' || counted.includes(name) || counted.some((each) => name.endsWith(`${classSuffix}${each}`)),
  usage(object) {
    const claim = object as unknown as Claim
    const usage = new Map<string, ExactQuantity>([['count/persistentvolumeclaims', one]])
    const storageClass = claim.metadata.annotations?.[betaClass] ?? claim.spec?.storageClassName ?? ''
    const add = (name: string, amount: ExactQuantity): void => {
      usage.set(name, amount)
      if (storageClass !== '') usage.set(`${storageClass}${classSuffix}${name}`, amount)
    }
    add('persistentvolumeclaims', one)
    const storage = storageOf(claim)
    if (storage !== undefined) add('requests.storage', storage)
    return usage
  },
  inScope: (scope, object) => scope.scopeName === 'VolumeAttributesClass' && matchesNames(scope, classesOf(object as unknown as Claim)),
}

/** In whole bytes. While a resize is under way the larger of what was asked for and what was allocated counts. */
function storageOf({ spec, status }: Claim): ExactQuantity | undefined {
  const asked = spec?.resources?.requests?.storage
  if (asked === undefined) return undefined
  const wanted = parseQuantity(asked)
  const allocated = parseQuantity(status?.allocatedResources?.storage ?? '0')
  const larger = allocated.nano > wanted.nano ? allocated : wanted
  return { nano: quantityValue(larger) * 1_000_000_000n, format: larger.format }
}

/** Every attributes class that a claim has, had or shall have. */
const classesOf = ({ spec, status }: Claim): readonly string[] =>
  [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ].filter((name) => name !== undefined && name !== '') as string[]
