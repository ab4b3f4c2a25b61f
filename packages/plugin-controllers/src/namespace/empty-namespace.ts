import { hasReason, type Kind, type ObjectClient, type UnstructuredObject } from '@continuo/core'
import type { ContentReport } from './conditions.ts'

type AnyKind = Kind<UnstructuredObject>

const isPods = ({ group, resource }: AnyKind): boolean => group === '' && resource === 'pods'

/** Namespaced resources, each once although it may be served in several versions and groups; `first` go before all others. */
export function contentOrder(kinds: readonly AnyKind[]): { readonly first: readonly AnyKind[]; readonly rest: readonly AnyKind[] } {
  const seen = new Set<string>()
  const once = kinds.filter((kind) => {
    // Events are one resource in two groups.
    const id = kind.resource === 'events' ? 'events' : `${kind.resource}.${kind.group}`
    if (!kind.namespaced || seen.has(id)) return false
    seen.add(id)
    return true
  })
  return { first: once.filter(isPods), rest: once.filter((kind) => !isPods(kind)) }
}

/**
 * Deletes everything in a namespace and says what is left. What runs goes first, and the rest only when that is gone (KEP-5080):
 * a network policy must not go before what it protects.
 */
export async function emptyNamespace(client: ObjectClient, namespace: string): Promise<ContentReport> {
  let kinds: readonly AnyKind[]
  try {
    kinds = await client.resources()
  } catch (error) {
    return { failures: [], remaining: new Map(), finalizers: new Map(), discoveryFailure: messageOf(error) }
  }
  const report = {
    failures: [] as { resource: string; message: string }[],
    remaining: new Map<string, number>(),
    finalizers: new Map<string, number>(),
  }
  const { first, rest } = contentOrder(kinds)
  for (const kind of first) await emptyKind(client, kind, namespace, report)
  if (report.remaining.size > 0 || report.failures.length > 0) return report
  for (const kind of rest) await emptyKind(client, kind, namespace, report)
  return report
}

async function emptyKind(
  client: ObjectClient,
  kind: AnyKind,
  namespace: string,
  report: { failures: { resource: string; message: string }[]; remaining: Map<string, number>; finalizers: Map<string, number> },
): Promise<void> {
  const resource = `${kind.resource}.${kind.group}`
  try {
    const target = client.for(kind)
    const before = await target.list({ namespace, limit: 1 })
    if (before.items.length === 0) return
    await target.deleteCollection({ namespace }, { propagationPolicy: 'Background' })
    const { items } = await target.list({ namespace })
    if (items.length > 0) report.remaining.set(resource, items.length)
    const why = unexplained(kind, namespace, items)
    if (why !== undefined) report.failures.push({ resource, message: why })
    for (const { metadata } of items)
      for (const finalizer of metadata.finalizers ?? []) report.finalizers.set(finalizer, (report.finalizers.get(finalizer) ?? 0) + 1)
  } catch (error) {
    // Resources that cannot be listed or deleted hold nothing that could stay behind; one may also vanish meanwhile.
    if (!hasReason(error, 'MethodNotAllowed', 'NotFound')) report.failures.push({ resource, message: messageOf(error) })
  }
}

/** Nothing but a finalizer, or the time that a pod has to end, explains that an object is still there after it was deleted. */
export function unexplained(kind: AnyKind, namespace: string, left: readonly UnstructuredObject[]): string | undefined {
  const waits = left.length === 0 || isPods(kind) || left.some(({ metadata }) => (metadata.finalizers ?? []).length > 0)
  const { group, version, resource } = kind
  return waits ? undefined : `unexpected items still remain in namespace: ${namespace} for gvr: ${group}/${version}, Resource=${resource}`
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
