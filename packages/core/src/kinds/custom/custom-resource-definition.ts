import type { Condition, KubeObject } from '../../objects/object.ts'
import { defineResource, kind, type ObjectSubresource, type ResourceDefinition } from '../../resources/resource.ts'
import type { Schema } from '../../schema/schema.ts'
import type { CustomResourceExtensions } from './custom-resource-extensions.ts'
import { definitionSchema } from './definition-schema.ts'
import { definitionStrategy } from './definition-strategy.ts'

export { cleanupFinalizer } from './cleanup-finalizer.ts'

export interface CustomResourceNames {
  plural: string
  singular?: string
  shortNames?: string[]
  kind: string
  listKind?: string
  categories?: string[]
}

export interface CustomResourceColumn {
  name: string
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  format?: string
  description?: string
  priority?: number
  jsonPath: string
}

export interface CustomResourceVersion {
  name: string
  served: boolean
  storage: boolean
  deprecated?: boolean
  deprecationWarning?: string
  schema?: { openAPIV3Schema?: Schema }
  subresources?: { status?: object; scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string } }
  additionalPrinterColumns?: CustomResourceColumn[]
  selectableFields?: { jsonPath: string }[]
}

/** How objects of other versions are asked for. */
export interface WebhookConversion {
  clientConfig?: {
    url?: string
    caBundle?: string
    service?: { namespace: string; name: string; path?: string; port?: number }
  }
  conversionReviewVersions: string[]
}

/** A kind that is defined by an object: served for as long as the object exists. */
export interface CustomResourceDefinition extends KubeObject {
  apiVersion: 'apiextensions.k8s.io/v1'
  kind: 'CustomResourceDefinition'
  spec: {
    group: string
    names: CustomResourceNames
    scope: 'Namespaced' | 'Cluster'
    versions: CustomResourceVersion[]
    conversion?: { strategy: 'None' | 'Webhook'; webhook?: WebhookConversion }
    preserveUnknownFields?: boolean
  }
  status?: {
    conditions?: Condition[]
    acceptedNames?: Partial<CustomResourceNames>
    storedVersions?: string[]
  }
}

export const CustomResourceDefinition = kind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  resource: 'customresourcedefinitions',
  namespaced: false,
})

const status: ObjectSubresource = {
  type: 'object',
  name: 'status',
  kind: { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' },
  verbs: ['get', 'update', 'patch'],
  write: (parent, body) => ({ ...parent, status: body.status }),
}

/** The resource of definitions, which are judged by what plugins know of rules and conversion. */
export const definitionResource = (extensions: CustomResourceExtensions): ResourceDefinition =>
  defineResource({
    group: 'apiextensions.k8s.io',
    plural: 'customresourcedefinitions',
    kind: 'CustomResourceDefinition',
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    namespaced: false,
    storageVersion: 'v1',
    versions: [
      {
        name: 'v1',
        schema: () => definitionSchema,
        subresources: [status],
        table: {
          columns: [
            { name: 'Name', type: 'string', format: 'name', description: 'Name of the definition: plural and group.' },
            { name: 'Created At', type: 'date', description: 'When it was created.' },
          ],
          row: (object) => [object.metadata.name, object.metadata.creationTimestamp ?? ''],
        },
      },
    ],
    strategy: definitionStrategy(extensions),
  })

export const customResourceDefinitionResource = definitionResource({})
