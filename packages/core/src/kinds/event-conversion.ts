import type { UnstructuredObject } from '../objects/object.ts'

/** Fields that the two groups name differently: core, then events.k8s.io. All others have one name. */
const names: readonly (readonly [core: string, events: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
]

const toCore = new Map(names.map(([core, events]) => [events, core]))
const toEvents = new Map(names)

function rename(object: UnstructuredObject, apiVersion: string, by: ReadonlyMap<string, string>): UnstructuredObject {
  const entries = Object.entries(object).map(([field, value]) => [by.get(field) ?? field, value] as const)
  return { ...Object.fromEntries(entries), apiVersion } as UnstructuredObject
}

/** Events of the core group as those of events.k8s.io, and back: the same fields under other names. */
export function convertEvents(objects: readonly UnstructuredObject[], apiVersion: string): UnstructuredObject[] {
  return objects.map((object) => {
    if (object.apiVersion === apiVersion) return object
    return apiVersion === 'v1' ? { involvedObject: {}, ...rename(object, apiVersion, toCore) } : rename(object, apiVersion, toEvents)
  })
}
