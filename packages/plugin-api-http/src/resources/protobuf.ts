import type { Clock, ObjectView, ServedResource, Subresource } from '@continuo/core'
import { encodeProtobuf, encodeProtobufContent, encodeProtobufList, hasProtobufForm } from '@continuo/workload'

/** The event loop gets its turn after so many encoded objects. */
const stride = 64

/** The form of metadata alone: of any kind, custom ones too. */
const partialOf = ({ object }: ObjectView, version: string) => ({
  apiVersion: `meta.k8s.io/${version}`,
  kind: 'PartialObjectMetadata',
  metadata: object.metadata,
})

/** True when the objects of an answer have a protobuf form. */
export function answersInProtobuf({ apiVersion, gvk, definition }: ServedResource, subresource: Subresource | undefined): boolean {
  if (definition.custom === true) return false
  if (subresource === undefined) return hasProtobufForm(apiVersion, gvk.kind)
  const { group, version, kind } = subresource.kind
  return hasProtobufForm(group === '' ? version : `${group}/${version}`, kind)
}

/** One object as protobuf; `partial` is the version of `meta.k8s.io` when its metadata alone is wanted. */
export const objectInProtobuf = (view: ObjectView, partial: string | undefined): Uint8Array =>
  partial === undefined
    ? view.encoded('protobuf', ({ object }) => encodeProtobuf(object))
    : view.encoded(`protobuf/partial/${partial}`, (one) => encodeProtobuf(partialOf(one, partial)))

/** A list as protobuf, in pieces. The whole must be known before the first byte goes: its length stands in front. */
export async function listInProtobuf(
  views: readonly ObjectView[],
  list: { readonly apiVersion: string; readonly kind: string; readonly metadata: object },
  partial: string | undefined,
  clock: Clock,
): Promise<readonly Uint8Array[]> {
  const items: Uint8Array[] = []
  for (const [index, view] of views.entries()) {
    if (index % stride === stride - 1) await clock.yield()
    items.push(encodeProtobufContent(partial === undefined ? view.object : partialOf(view, partial)))
  }
  return encodeProtobufList(list, items)
}
