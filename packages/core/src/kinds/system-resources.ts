import type { ResourceDefinition } from '../resources/resource.ts'
import { customResourceDefinitionResource } from './custom/custom-resource-definition.ts'
import { eventResource } from './event.ts'
import { leaseResource } from './lease.ts'
import { namespaceResource } from './namespace.ts'

/** The kinds that every API has, whatever its domain. */
export const systemResources: readonly ResourceDefinition[] = [
  namespaceResource,
  leaseResource,
  eventResource,
  customResourceDefinitionResource,
]
