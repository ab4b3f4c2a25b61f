import { fieldError } from '@continuo/core'
import type { DeviceClass as DeviceClassObject } from '../../generated/types/resource-v1.ts'
import { isQualifiedName } from '../../rules/names.ts'
import { plainTable } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkOpaque, checkSelectors, expressionsOf } from './check-configuration.ts'
import { limits } from './limits.ts'
import { checkItems } from './lists.ts'

export type DeviceClass = DeviceClassObject
/** Handle of deviceclasses in resource.k8s.io/v1. */
export const DeviceClass = kindOf<DeviceClass>('resource.k8s.io/v1', 'deviceclasses')

/** A name that a container may ask for beside those of Kubernetes' own resources. */
const isExtendedResource = (name: string): boolean =>
  name.includes('/') && !/^([^/]*\.)?kubernetes\.io\//.test(name) && isQualifiedName(`requests.${name}`).length === 0

export const deviceClassResource = workloadResource(DeviceClass, {
  table: plainTable<DeviceClass>(),
  strategy: strategyOf<DeviceClass>({
    validate({ spec }, errors, old) {
      checkSelectors(spec?.selectors, 'spec.selectors', errors, new Set(expressionsOf(old?.spec?.selectors)))
      checkItems(spec?.config, limits.configurations, 'spec.config', errors, ({ opaque }, path) =>
        checkOpaque(opaque, `${path}.opaque`, errors),
      )
      const name = spec?.extendedResourceName
      if (name !== undefined && !isExtendedResource(name))
        errors.push(fieldError.invalid('spec.extendedResourceName', name, 'must be a valid extended resource name'))
    },
  }),
})
