import {
  ContinuoError,
  type Decision,
  hasReason,
  type Kind,
  type ObjectClient,
  type ServedKind,
  type UnstructuredObject,
} from '@continuo/core'
import type { Evidence } from './explain.ts'

/** Reads decisions of the control plane; `query` is the query of its decision endpoint. */
export type ReadDecisions = (query: Readonly<Record<string, string>>) => Promise<readonly Decision[]>

interface EventObject extends UnstructuredObject {
  readonly type?: string
  readonly reason?: string
  readonly message?: string
  readonly count?: number
  readonly lastTimestamp?: string
  readonly eventTime?: string
}

/** `pod/web` in parts. Throws `WHY_TARGET` for anything else. */
export function parseTarget(target: string): { readonly kind: string; readonly name: string } {
  const [kind, name, ...rest] = target.split('/')
  if (kind === undefined || kind === '' || name === undefined || name === '' || rest.length > 0) {
    throw new ContinuoError('WHY_TARGET', `${JSON.stringify(target)} names no object`, { hint: 'write KIND/NAME, such as pod/web-7d9f' })
  }
  return { kind, name }
}

/** Everything that the explanation of one object needs. */
export async function gather(
  client: ObjectClient,
  decisions: ReadDecisions,
  target: string,
  namespace: string,
  now: number,
): Promise<Evidence> {
  const { kind: kindName, name } = parseTarget(target)
  const kind = findKind(await client.resources(), kindName)
  const at = { namespace: kind.namespaced ? namespace : '', name }
  const resource = client.for(kind)
  const object = await resource.get(at).catch((error: unknown) => {
    if (hasReason(error, 'NotFound')) return undefined
    throw error
  })
  const about = await decisions({ kind: kind.kind, ...at })
  const causes = new Map<string, Decision>()
  for (const decision of about) await follow(decision.cause, decisions, causes)
  return {
    kind: kind.kind,
    ...at,
    object,
    decisions: about,
    causes,
    events: await eventsOf(client, kind.kind, at),
    successors: await successorsOf(client, kind, about, object, at),
    now,
  }
}

/** A kind by its name, plural or short name. Throws `WHY_TARGET` when there is none. */
export function findKind(kinds: readonly ServedKind[], asked: string): ServedKind {
  const lower = asked.toLowerCase()
  const kind =
    kinds.find((other) => other.kind.toLowerCase() === lower || other.resource === lower) ??
    kinds.find(({ shortNames }) => shortNames.includes(lower))
  if (kind === undefined)
    throw new ContinuoError('WHY_TARGET', `this cluster serves no kind ${JSON.stringify(asked)}`, { hint: 'see `kubectl api-resources`' })
  return kind
}

async function follow(id: string | undefined, decisions: ReadDecisions, into: Map<string, Decision>): Promise<void> {
  if (id === undefined || into.has(id)) return
  const [cause] = await decisions({ id })
  if (cause === undefined) return
  into.set(id, cause)
  await follow(cause.cause, decisions, into)
}

async function eventsOf(
  client: ObjectClient,
  kind: string,
  at: { readonly namespace: string; readonly name: string },
): Promise<Evidence['events']> {
  const events = await client.resource({ group: '', version: 'v1', resource: 'events' })
  const list = await events.list({
    namespace: at.namespace === '' ? 'default' : at.namespace,
    fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${at.name}`,
  })
  return (list.items as EventObject[])
    .map((event) => ({
      type: event.type ?? 'Normal',
      reason: event.reason ?? '',
      message: event.message ?? '',
      count: event.count ?? 1,
      last: event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '',
    }))
    .sort((a, b) => (a.last < b.last ? -1 : 1))
}

/** Younger objects of the same kind that the same controller made. */
async function successorsOf(
  client: ObjectClient,
  kind: Kind<UnstructuredObject>,
  about: readonly Decision[],
  object: UnstructuredObject | undefined,
  at: { readonly namespace: string; readonly name: string },
): Promise<readonly string[]> {
  if (kind.kind !== 'Pod' || about.length === 0) return []
  const since = about[0]?.time ?? 0
  const prefix = at.name.replace(/-[^-]*-[^-]*$/, '')
  const { items } = await client.for(kind).list({ namespace: at.namespace })
  return items
    .filter(
      (other) =>
        other.metadata.name !== at.name &&
        other.metadata.uid !== object?.metadata.uid &&
        other.metadata.name.startsWith(`${prefix}-`) &&
        Date.parse(other.metadata.creationTimestamp ?? '') >= since - 1_000,
    )
    .map((other) => other.metadata.name)
}
