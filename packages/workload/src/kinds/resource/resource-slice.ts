import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { ResourceSlice as ResourceSliceObject, ResourceSliceSpec } from '../../generated/types/resource-v1.ts'
import { checkNodeSelector } from '../../pod-spec/check-node-selector.ts'
import { checkName, checkRequiredName, isDnsLabel, isDnsSubdomain } from '../../rules/names.ts'
import { checkImmutable } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { checkDriverName } from '../storage/csi-driver-name.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkDevice } from './check-device.ts'
import { limits } from './limits.ts'
import { checkSet } from './lists.ts'
import { checkPoolName } from './names.ts'

export type ResourceSlice = ResourceSliceObject
/** Handle of resourceslices in resource.k8s.io/v1. */
export const ResourceSlice = kindOf<ResourceSlice>('resource.k8s.io/v1', 'resourceslices')

export const resourceSliceResource = workloadResource(ResourceSlice, {
  table: table<ResourceSlice>(
    nameColumn(),
    text('Node', ({ spec }) => spec.nodeName || (spec.allNodes === true ? '<all>' : '<selector>')),
    text('Driver', ({ spec }) => spec.driver),
    text('Pool', ({ spec }) => spec.pool?.name ?? ''),
    ageColumn(),
  ),
  selectableFields: {
    'spec.nodeName': (object) => (object as unknown as ResourceSlice).spec?.nodeName ?? '',
    'spec.driver': (object) => (object as unknown as ResourceSlice).spec?.driver ?? '',
  },
  strategy: strategyOf<ResourceSlice>({
    validate({ spec }, errors) {
      checkDriverName(spec.driver, 'spec.driver', errors)
      checkPool(spec, errors)
      checkPlace(spec, errors)
      if (spec.sharedCounters !== undefined && spec.devices !== undefined)
        errors.push(fieldError.invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'))
      const advanced = spec.devices?.some(({ taints, consumesCounters }) => (taints ?? consumesCounters ?? []).length > 0)
      const max = advanced ? limits.advancedDevices : limits.devices
      checkSet(
        spec.devices,
        max,
        'spec.devices',
        errors,
        ({ name }) => name,
        (device, path) => checkDevice(device, spec.perDeviceNodeSelection === true, path, errors),
      )
      checkSet(
        spec.sharedCounters,
        limits.counterSets,
        'spec.sharedCounters',
        errors,
        ({ name }) => name,
        ({ name, counters }, path) => {
          checkRequiredName(isDnsLabel, name, `${path}.name`, errors)
          if (Object.keys(counters ?? {}).length === 0) errors.push(fieldError.required(`${path}.counters`))
          for (const counter of Object.keys(counters ?? {})) checkName(isDnsLabel, counter, `${path}.counters`, errors)
        },
      )
    },
    validateUpdate({ spec }, old, errors) {
      checkImmutable(spec.pool.name, old.spec.pool.name, 'spec.pool.name', errors)
      checkImmutable(spec.driver, old.spec.driver, 'spec.driver', errors)
      checkImmutable(spec.nodeName, old.spec.nodeName, 'spec.nodeName', errors)
    },
  }),
})

function checkPool({ pool }: DeepReadonly<ResourceSliceSpec>, errors: FieldError[]): void {
  checkPoolName(pool?.name, 'spec.pool.name', errors)
  const { resourceSliceCount: count = 0, generation = 0 } = pool ?? {}
  if (count <= 0) errors.push(fieldError.invalid('spec.pool.resourceSliceCount', count, 'must be greater than zero'))
  if (generation < 0) errors.push(fieldError.invalid('spec.pool.generation', generation, 'must be greater than or equal to zero'))
}

/** Which nodes reach the devices: said in one of four ways. */
function checkPlace(spec: DeepReadonly<ResourceSliceSpec>, errors: FieldError[]): void {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec
  if (nodeName === '') errors.push(fieldError.invalid('spec.nodeName', nodeName, 'must be either unset or set to a non-empty string'))
  else if (nodeName !== undefined) checkName(isDnsSubdomain, nodeName, 'spec.nodeName', errors)
  if (nodeSelector !== undefined) {
    checkNodeSelector(nodeSelector, 'spec.nodeSelector', errors)
    const terms = nodeSelector.nodeSelectorTerms
    if (terms?.length !== 1)
      errors.push(fieldError.invalid('spec.nodeSelector.nodeSelectorTerms', terms, 'must have exactly one node selector term'))
  }
  for (const [field, value] of Object.entries({ allNodes, perDeviceNodeSelection }))
    if (value === false) errors.push(fieldError.invalid(`spec.${field}`, value, 'must be either unset or set to true'))
  const given = Object.entries({ nodeName, nodeSelector, allNodes, perDeviceNodeSelection }).filter(([, value]) => Boolean(value))
  const words = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  if (given.length === 0) errors.push(fieldError.required('spec', words))
  else if (given.length > 1) {
    const shown = `{${given.map(([name]) => `\`${name}\``).join(', ')}}`
    errors.push(fieldError.invalid('spec', shown, `${words}, but multiple fields are set`))
  }
}
