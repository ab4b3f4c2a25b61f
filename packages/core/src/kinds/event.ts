import { parseTime } from '../clock/clock.ts'
import type { DeepReadonly, KubeObject, UnstructuredObject } from '../objects/object.ts'
import { defineResource, kind, type TableDefinition } from '../resources/resource.ts'
import { isRecord } from '../schema/json-value.ts'
import { since } from './age.ts'
import { convertEvents } from './event-conversion.ts'
import { int32, microTime, objectSchema, record, text, time } from './schemas.ts'

/** The object that an event is about. */
export interface ObjectReference {
  apiVersion?: string
  kind?: string
  namespace?: string
  name?: string
  uid?: string
  resourceVersion?: string
  fieldPath?: string
}

/** An event as the core group shows it. */
export interface Event extends KubeObject {
  apiVersion: 'v1'
  kind: 'Event'
  involvedObject: ObjectReference
  reason?: string
  message?: string
  source?: { component?: string; host?: string }
  firstTimestamp?: string
  lastTimestamp?: string
  count?: number
  type?: string
  eventTime?: string
  series?: { count?: number; lastObservedTime?: string }
  action?: string
  related?: ObjectReference
  reportingComponent?: string
  reportingInstance?: string
}

export const Event = kind<Event>({ group: '', version: 'v1', kind: 'Event', resource: 'events', namespaced: true })

/** The same event as group `events.k8s.io` shows it. */
export interface EventsV1Event extends KubeObject {
  apiVersion: 'events.k8s.io/v1'
  kind: 'Event'
  eventTime?: string
  series?: { count: number; lastObservedTime: string }
  reportingController?: string
  reportingInstance?: string
  action?: string
  reason?: string
  regarding?: ObjectReference
  related?: ObjectReference
  note?: string
  type?: string
  deprecatedSource?: { component?: string; host?: string }
  deprecatedFirstTimestamp?: string
  deprecatedLastTimestamp?: string
  deprecatedCount?: number
}

export const EventsV1Event = kind<EventsV1Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  namespaced: true,
})

/** How long an event is kept after it was last seen. */
export const eventLifetimeMs = 3_600_000

const core = 'io.k8s.api.core.v1'
const events = 'io.k8s.api.events.v1'

const reference = record(`${core}.ObjectReference`, {
  apiVersion: text,
  kind: text,
  namespace: text,
  name: text,
  uid: text,
  resourceVersion: text,
  fieldPath: text,
})
const source = record(`${core}.EventSource`, { component: text, host: text })

const coreSchema = objectSchema(
  `${core}.Event`,
  'Event is a report of an event somewhere in the cluster.',
  {
    involvedObject: reference,
    reason: text,
    message: text,
    source,
    firstTimestamp: time,
    lastTimestamp: time,
    count: int32,
    type: text,
    eventTime: { ...microTime, nullable: true },
    series: record(`${core}.EventSeries`, { count: int32, lastObservedTime: microTime }),
    action: text,
    related: reference,
    reportingComponent: { ...text, default: '' },
    reportingInstance: { ...text, default: '' },
  },
  ['metadata', 'involvedObject'],
)

const eventsSchema = objectSchema(
  `${events}.Event`,
  'Event is a report of an event somewhere in the cluster. It generally denotes some state change in the system.',
  {
    eventTime: { ...microTime, nullable: true },
    series: record(`${events}.EventSeries`, { count: int32, lastObservedTime: microTime }, ['count', 'lastObservedTime']),
    reportingController: text,
    reportingInstance: text,
    action: text,
    reason: text,
    regarding: reference,
    related: reference,
    note: text,
    type: text,
    deprecatedSource: source,
    deprecatedFirstTimestamp: time,
    deprecatedLastTimestamp: time,
    deprecatedCount: int32,
  },
)

/** Reads a path of strings; the empty string where it ends early. */
const at =
  (...path: readonly string[]) =>
  (object: DeepReadonly<UnstructuredObject>): string => {
    let value: unknown = object
    for (const step of path) value = isRecord(value) ? value[step] : undefined
    return typeof value === 'string' ? value : ''
  }

const referenceFields = (prefix: string): Record<string, (object: DeepReadonly<UnstructuredObject>) => string> =>
  Object.fromEntries(
    ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((field) => [
      `${prefix}.${field}`,
      at(prefix, field),
    ]),
  )

/** Either form of the event as the core group's, for what both share. */
const asCore = (object: DeepReadonly<UnstructuredObject>): Event =>
  (object.apiVersion === 'v1' ? object : convertEvents([object as UnstructuredObject], 'v1')[0]) as unknown as Event

const lastSeen = (event: Event): string | undefined =>
  event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? event.metadata.creationTimestamp

const table: TableDefinition = {
  columns: [
    { name: 'Last Seen', type: 'string', description: 'When it was last seen.' },
    { name: 'Type', type: 'string', description: 'Normal or Warning.' },
    { name: 'Reason', type: 'string', description: 'A word for machines.' },
    { name: 'Object', type: 'string', description: 'What it is about.' },
    { name: 'Subobject', type: 'string', priority: 1, description: 'Which part of it.' },
    { name: 'Source', type: 'string', priority: 1, description: 'Who reports it.' },
    { name: 'Message', type: 'string', description: 'A sentence for people.' },
    { name: 'First Seen', type: 'string', priority: 1, description: 'When it was first seen.' },
    { name: 'Count', type: 'string', priority: 1, description: 'How often it was seen.' },
    { name: 'Name', type: 'string', priority: 1, format: 'name', description: 'Name of the event.' },
  ],
  row(object, now) {
    const event = asCore(object)
    const { involvedObject: about = {} } = event
    const first = event.firstTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp
    const component = event.source?.component || event.reportingComponent || ''
    const from = event.source?.host || event.reportingInstance || ''
    return [
      since(lastSeen(event), now),
      event.type ?? '',
      event.reason ?? '',
      `${(about.kind ?? '').toLowerCase()}/${about.name ?? ''}`,
      about.fieldPath ?? '',
      from === '' ? component : `${component}, ${from}`,
      (event.message ?? '').trim(),
      since(first, now),
      event.series?.count ?? (event.count || 1),
      event.metadata.name,
    ]
  },
}

export const eventResource = defineResource({
  group: '',
  plural: 'events',
  kind: 'Event',
  shortNames: ['ev'],
  namespaced: true,
  storageVersion: 'v1',
  versions: [
    {
      name: 'v1',
      schema: coreSchema,
      table,
      selectableFields: {
        ...referenceFields('involvedObject'),
        reason: at('reason'),
        reportingComponent: (object) => at('source', 'component')(object) || at('reportingComponent')(object),
        source: (object) => at('source', 'component')(object) || at('reportingComponent')(object),
        type: at('type'),
      },
    },
  ],
  aliases: [
    {
      group: 'events.k8s.io',
      versions: [
        {
          name: 'v1',
          schema: eventsSchema,
          table,
          selectableFields: {
            ...referenceFields('regarding'),
            reason: at('reason'),
            reportingController: at('reportingController'),
            type: at('type'),
          },
        },
      ],
    },
  ],
  convert: async (objects, apiVersion) => convertEvents(objects, apiVersion),
  strategy: {
    changesGeneration: () => false,
    expiresAt(object) {
      const seen = lastSeen(asCore(object))
      const moment = seen === undefined ? Number.NaN : parseTime(seen)
      return Number.isNaN(moment) ? undefined : moment + eventLifetimeMs
    },
  },
})
