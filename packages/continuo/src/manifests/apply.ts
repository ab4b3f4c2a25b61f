import { ContinuoError, type Kind, type ObjectClient, parseApiVersion, type UnstructuredObject } from '@continuo/core'

export interface AppliedObject {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** Server-side apply of objects in their order. */
export async function applyManifests(client: ObjectClient, objects: readonly UnstructuredObject[]): Promise<readonly AppliedObject[]> {
  const kinds = await client.resources()
  const applied: AppliedObject[] = []
  for (const object of objects) {
    const kind = kindOf(kinds, object)
    const namespace = kind.namespaced ? (object.metadata.namespace ?? 'default') : ''
    const metadata = kind.namespaced ? { ...object.metadata, namespace } : object.metadata
    await client.for(kind).apply({ ...object, metadata }, { fieldManager: 'continuo-start', force: true })
    applied.push({ kind: object.kind, namespace, name: object.metadata.name })
  }
  return applied
}

function kindOf(kinds: readonly Kind<UnstructuredObject>[], object: UnstructuredObject): Kind<UnstructuredObject> {
  const { group, version } = parseApiVersion(object.apiVersion)
  const kind = kinds.find((other) => other.group === group && other.version === version && other.kind === object.kind)
  if (kind === undefined) {
    throw new ContinuoError(
      'MANIFEST_UNKNOWN_KIND',
      `${object.kind}/${object.metadata.name}: this cluster does not serve ${object.kind} in ${object.apiVersion}`,
      { hint: 'check apiVersion and kind, or apply the CustomResourceDefinition first' },
    )
  }
  return kind
}
