import type { UnstructuredObject } from '../objects/object.ts'

/**
 * The JSON of an object as it is stored: `apiVersion`, `kind` and `metadata` first, without resourceVersion and selfLink,
 * so that a reader can put the resource version in without decoding. The caller's object is not changed.
 */
export function storedJson(object: UnstructuredObject): string {
  const { apiVersion, kind, metadata, ...rest } = object
  const { resourceVersion: _version, selfLink: _link, ...meta } = metadata
  return JSON.stringify({ apiVersion, kind, metadata: meta, ...rest })
}
