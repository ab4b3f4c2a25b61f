import { ApiError } from '../../errors/api-error.ts'
import type { DeepReadonly, UnstructuredObject } from '../../objects/object.ts'
import { defineResource, type ResourceDefinition, type Subresource, type VersionDefinition } from '../../resources/resource.ts'
import { isRecord, setOwn } from '../../schema/json-value.ts'
import type { Schema } from '../../schema/schema.ts'
import { isTrue } from './conditions.ts'
import type { CustomResourceDefinition, CustomResourceNames, CustomResourceVersion } from './custom-resource-definition.ts'
import type { CustomResourceExtensions } from './custom-resource-extensions.ts'
import { customTable } from './custom-table.ts'
import { parseJsonPath } from './json-path.ts'
import { compareVersions } from './version-order.ts'

type Definition = DeepReadonly<CustomResourceDefinition>

/** While its objects are being deleted nothing new is created. */
const verbsWhileTerminating = ['get', 'list', 'watch', 'update', 'patch', 'delete', 'deletecollection'] as const

/** The resource that a definition describes. Pure: the same definition gives an equal resource. */
export function toResource(definition: Definition, extensions: CustomResourceExtensions = {}): ResourceDefinition {
  const { spec, status } = definition
  const names = namesOf(definition)
  const storage = spec.versions.find((version) => version.storage) as DeepReadonly<CustomResourceVersion>
  return defineResource({
    group: spec.group,
    plural: names.plural,
    kind: names.kind,
    ...(names.singular === undefined ? {} : { singular: names.singular }),
    ...(names.listKind === undefined ? {} : { listKind: names.listKind }),
    ...(names.shortNames === undefined ? {} : { shortNames: names.shortNames }),
    ...(names.categories === undefined ? {} : { categories: names.categories }),
    namespaced: spec.scope === 'Namespaced',
    ...(isTrue(status?.conditions, 'Terminating') ? { verbs: verbsWhileTerminating } : {}),
    versions: [...spec.versions]
      .sort((a, b) => compareVersions(a.name, b.name))
      .map((version) => toVersion(definition, version, extensions)),
    storageVersion: storage.name,
    custom: true,
    definedBy: definition.metadata.name,
    // Objects that were written under another schema may hold what this one does not know.
    ...convertOf(definition, extensions),
    prunesOnRead: (definition.metadata.generation ?? 1) > 1 || spec.versions.length > 1,
  })
}

/** The names under which it is served: those that were accepted, until new ones are. */
function namesOf({ spec, status }: Definition): DeepReadonly<CustomResourceNames> {
  const accepted = status?.acceptedNames
  return accepted?.plural && accepted.kind ? { ...accepted, plural: accepted.plural, kind: accepted.kind } : spec.names
}

/** How its objects come into another version. With strategy None only `apiVersion` changes, which needs no function. */
function convertOf({ spec }: Definition, extensions: CustomResourceExtensions): Pick<ResourceDefinition, 'convert'> {
  const { conversion } = spec
  if (conversion === undefined || conversion.strategy === 'None') return {}
  const { strategy } = conversion
  return {
    async convert(objects, apiVersion, signal) {
      const provider = extensions.conversions?.get(strategy)
      if (provider === undefined)
        throw new ApiError(
          'ServiceUnavailable',
          `conversion of ${spec.names.plural}.${spec.group} to ${apiVersion} is not possible: no plugin converts by strategy ${strategy}`,
        )
      return provider.convert(conversion, objects, apiVersion, signal)
    },
  }
}

function toVersion(
  { spec }: Definition,
  version: DeepReadonly<CustomResourceVersion>,
  { rules }: CustomResourceExtensions,
): VersionDefinition {
  const schema = (version.schema?.openAPIV3Schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }) as Schema
  const ruleSet = rules?.compile(schema)
  const selectable = (version.selectableFields ?? []).map(({ jsonPath }) => [jsonPath.replace(/^\./, ''), readText(jsonPath)] as const)
  return {
    name: version.name,
    served: version.served,
    ...(version.deprecated === true
      ? {
          deprecated: true,
          deprecationWarning: version.deprecationWarning ?? `${spec.group}/${version.name} ${spec.names.kind} is deprecated`,
        }
      : {}),
    schema,
    ...(ruleSet === undefined ? {} : { rules: ruleSet }),
    table: customTable(version.additionalPrinterColumns),
    subresources: subresourcesOf(spec, version),
    ...(selectable.length === 0 ? {} : { selectableFields: Object.fromEntries(selectable) }),
  }
}

function readText(path: string): (object: DeepReadonly<UnstructuredObject>) => string {
  const compiled = parseJsonPath(path)
  return (object) => {
    const [value] = compiled.find(object)
    return value === undefined || value === null ? '' : String(value)
  }
}

function subresourcesOf(spec: Definition['spec'], version: DeepReadonly<CustomResourceVersion>): readonly Subresource[] {
  const subresources: Subresource[] = []
  const { status, scale } = version.subresources ?? {}
  if (status !== undefined) {
    subresources.push({
      type: 'object',
      name: 'status',
      kind: { group: spec.group, version: version.name, kind: spec.names.kind },
      verbs: ['get', 'update', 'patch'],
      write: (parent, body) => (body.status === undefined ? withoutStatus(parent) : { ...parent, status: body.status }),
    })
  }
  if (scale !== undefined) subresources.push(scaleSubresource(scale))
  return subresources
}

function withoutStatus({ status: _status, ...parent }: UnstructuredObject): UnstructuredObject {
  return parent
}

const scaleSchema: Schema = {
  type: 'object',
  definition: 'io.k8s.api.autoscaling.v1.Scale',
  properties: {
    spec: {
      type: 'object',
      definition: 'io.k8s.api.autoscaling.v1.ScaleSpec',
      properties: { replicas: { type: 'integer', format: 'int32', default: 0, minimum: 0 } },
      default: {},
    },
    status: {
      type: 'object',
      definition: 'io.k8s.api.autoscaling.v1.ScaleStatus',
      properties: { replicas: { type: 'integer', format: 'int32' }, selector: { type: 'string' } },
    },
  },
}

const scaleTable = customTable([
  { name: 'Desired', type: 'integer', description: 'Number of desired replicas', jsonPath: '.spec.replicas' },
  { name: 'Available', type: 'integer', description: 'Number of actual replicas', jsonPath: '.status.replicas' },
  { name: 'Age', type: 'date', description: 'Time since the object was created', jsonPath: '.metadata.creationTimestamp' },
])

function scaleSubresource(scale: DeepReadonly<NonNullable<NonNullable<CustomResourceVersion['subresources']>['scale']>>): Subresource {
  const wanted = parseJsonPath(scale.specReplicasPath)
  const actual = parseJsonPath(scale.statusReplicasPath)
  const selector = scale.labelSelectorPath ? parseJsonPath(scale.labelSelectorPath) : undefined
  const count = (path: typeof wanted, object: unknown): number => {
    const [value] = path.find(object)
    return typeof value === 'number' ? value : 0
  }
  return {
    type: 'object',
    name: 'scale',
    kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
    verbs: ['get', 'update', 'patch'],
    schema: scaleSchema,
    table: scaleTable,
    read(parent) {
      const { name, namespace, uid, resourceVersion, creationTimestamp } = parent.metadata
      const [chosen] = selector?.find(parent) ?? []
      return {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp },
        spec: { replicas: count(wanted, parent) },
        status: { replicas: count(actual, parent), ...(typeof chosen === 'string' && chosen !== '' ? { selector: chosen } : {}) },
      }
    },
    write(parent, body) {
      const replicas = isRecord(body.spec) ? body.spec.replicas : undefined
      if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
        throw new ApiError(
          'Invalid',
          `Scale.autoscaling ${JSON.stringify(parent.metadata.name)} is invalid: spec.replicas: Invalid value: ${JSON.stringify(replicas ?? null)}: must be greater than or equal to 0`,
          {
            group: 'autoscaling',
            kind: 'Scale',
            causes: [
              {
                reason: 'FieldValueInvalid',
                field: 'spec.replicas',
                message: `Invalid value: ${JSON.stringify(replicas ?? null)}: must be greater than or equal to 0`,
              },
            ],
          },
        )
      }
      setAt(parent, wanted.fields ?? [], replicas)
      return parent
    },
  }
}

/** Sets a value at a path of names, making the maps on the way. */
function setAt(root: Record<string, unknown>, fields: readonly string[], value: unknown): void {
  const last = fields.at(-1)
  if (last === undefined) return
  let at = root
  for (const field of fields.slice(0, -1)) {
    if (!isRecord(at[field])) setOwn(at, field, {})
    at = at[field] as Record<string, unknown>
  }
  setOwn(at, last, value)
}
