import { formatTime } from '../clock/clock.ts'
import type { DeepReadonly, KubeObject } from '../objects/object.ts'
import { type Kind, kind } from '../resources/resource.ts'

/** The object that an event tells of, as `involvedObject` carries it. */
export interface EventTarget {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly fieldPath?: string
}

/** The fields of a `v1` Event that the recorder writes. */
export interface RecordedEvent extends KubeObject {
  involvedObject: EventTarget
  type: string
  reason: string
  message: string
  source: { component: string; host?: string }
  reportingComponent: string
  reportingInstance: string
  firstTimestamp: string
  lastTimestamp: string
  count: number
  action?: string
  related?: EventTarget
}

/** The handle under which events are written. */
export const recordedEvents: Kind<RecordedEvent> = kind<RecordedEvent>({
  group: '',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  namespaced: true,
})

/** Who records: `component` is the name that `kubectl describe` shows under FROM. */
export interface EventSourceName {
  readonly component: string
  readonly host?: string
}

/** What happened to an object, before it is counted and named. */
export interface Occurrence {
  readonly about: EventTarget
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  readonly action?: string
  readonly related?: EventTarget
}

const maxMessageBytes = 1024

/** The reference by which events name an object. */
export const targetOf = (object: DeepReadonly<KubeObject>, fieldPath?: string): EventTarget => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  name: object.metadata.name,
  ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
  ...(object.metadata.uid === undefined ? {} : { uid: object.metadata.uid }),
  ...(object.metadata.resourceVersion === undefined ? {} : { resourceVersion: object.metadata.resourceVersion }),
  ...(fieldPath === undefined ? {} : { fieldPath }),
})

/**
 * The first event of its kind. Its name is the object's followed by `distinct`, in the form that Kubernetes uses;
 * events about cluster-scoped objects live in the namespace `default`. Messages are cut at 1,024 characters.
 */
export function firstEvent(occurrence: Occurrence, source: EventSourceName, now: number, distinct: string): RecordedEvent {
  const { about } = occurrence
  const at = formatTime(now)
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${about.name}.${distinct}`, namespace: about.namespace || 'default' },
    involvedObject: about,
    type: occurrence.type,
    reason: occurrence.reason,
    message: occurrence.message.slice(0, maxMessageBytes),
    source: { component: source.component, ...(source.host === undefined ? {} : { host: source.host }) },
    reportingComponent: source.component,
    reportingInstance: source.host ?? '',
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
    ...(occurrence.action === undefined ? {} : { action: occurrence.action }),
    ...(occurrence.related === undefined ? {} : { related: occurrence.related }),
  }
}

/** Sixteen hexadecimal digits that differ for each event: its time in microseconds with a running number below. */
export const distinctSuffix = (now: number, sequence: number): string =>
  (BigInt(Math.trunc(now)) * 1_000_000n + BigInt(sequence % 1_000_000)).toString(16)
