import { ApiError } from '../errors/api-error.ts'
import { formatGroupResource } from '../objects/names.ts'
import type { ServedResource } from '../resources/registry.ts'
import { type FieldTerm, parseFieldSelector } from '../selectors/field-selector.ts'
import { compileLabelRequirements } from '../selectors/label-selector.ts'
import { parseLabelSelector } from '../selectors/parse-label-selector.ts'
import type { StoredView } from './stored-view.ts'

/** What a selection looks at. */
export type SelectableView = Pick<StoredView, 'name' | 'namespace' | 'labels' | 'peek'>

/** What a list or watch chooses, compiled once. */
export interface Selection {
  /** The collection's namespace; empty for all. A selector `metadata.namespace=a` narrows it. */
  readonly namespace: string
  /** The one object that a selector `metadata.name=…` leaves, if it does. */
  readonly name: string | undefined
  /** The dispatch key with the fewest events, or `undefined` for the whole resource. */
  readonly dispatchKey: string | undefined
  /** The dispatch key of a selectable field, by which a list finds candidates. */
  readonly fieldKey: string | undefined
  /** True when every object of the collection is chosen: nothing need be decoded. */
  readonly everything: boolean
  matches(view: SelectableView): boolean
}

export const namespaceDispatchKey = (namespace: string): string => `namespace=${namespace}`
export const nameDispatchKey = (namespace: string, name: string): string => `name=${namespace}/${name}`
export const fieldDispatchKey = (field: string, value: string): string => `${field}=${value}`

interface SelectText {
  readonly namespace: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

/** Parses both selectors. Throws 400 for bad syntax and for fields that the kind does not offer. */
export function compileSelection(served: ServedResource, { namespace, labelSelector, fieldSelector }: SelectText): Selection {
  const terms = fieldSelector ? parseFieldSelector(fieldSelector) : []
  const fields = served.version.selectableFields ?? {}
  for (const { field } of terms) {
    if (field !== 'metadata.name' && field !== 'metadata.namespace' && !Object.hasOwn(fields, field)) {
      throw new ApiError('BadRequest', `field label not supported: ${field}`, { kind: formatGroupResource(served.gvr) })
    }
  }
  const labels = labelSelector ? compileLabelRequirements(parseLabelSelector(labelSelector)) : undefined
  const equal = (field: string): string | undefined => terms.find((term) => term.field === field && term.operator === '=')?.value
  const inNamespace = namespace === '' ? (equal('metadata.namespace') ?? '') : namespace
  const name = equal('metadata.name')
  const keyTerms = terms.filter(({ field }) => field === 'metadata.name' || field === 'metadata.namespace')
  const ownTerms = terms.filter(({ field }) => field !== 'metadata.name' && field !== 'metadata.namespace')
  const indexed = ownTerms.find((term) => term.operator === '=' && term.value !== '') ?? ownTerms.find((term) => term.operator === '=')
  const fieldKey = keyOfField(served, indexed)
  return {
    namespace: inNamespace,
    name,
    dispatchKey:
      keyOfName(served, inNamespace, name) ??
      fieldKey ??
      (served.definition.namespaced && inNamespace !== '' ? namespaceDispatchKey(inNamespace) : undefined),
    fieldKey,
    everything: labels === undefined && terms.length === 0,
    matches(view) {
      for (const term of keyTerms) {
        const value = term.field === 'metadata.name' ? view.name : view.namespace
        if ((value === term.value) !== (term.operator === '=')) return false
      }
      if (labels !== undefined && !labels(view.labels)) return false
      if (ownTerms.length === 0) return true
      const object = view.peek()
      return ownTerms.every(({ field, operator, value }) => (fields[field]?.(object) === value) === (operator === '='))
    },
  }
}

function keyOfName(served: ServedResource, namespace: string, name: string | undefined): string | undefined {
  const { namespaced } = served.definition
  return name === undefined || (namespaced && namespace === '') ? undefined : nameDispatchKey(namespaced ? namespace : '', name)
}

/** Fields are indexed as the storage version has them. */
function keyOfField(served: ServedResource, term: FieldTerm | undefined): string | undefined {
  const stored = served.definition.versions.find((version) => version.name === served.definition.storageVersion)
  return term !== undefined && stored?.selectableFields?.[term.field] !== undefined ? fieldDispatchKey(term.field, term.value) : undefined
}
