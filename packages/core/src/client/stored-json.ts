import type { UnstructuredObject } from '../objects/object.ts'

const labelsStart = Buffer.from('"labels":{')
const quote = 0x22
const backslash = 0x5c
const brace = 0x7d

/**
 * The JSON of an object as it is stored: `apiVersion`, `kind` and `metadata` first and in it the labels, without resourceVersion and selfLink.
 * A reader can then put the resource version in, and read the labels, without decoding the whole. The caller's object is not changed.
 */
export function storedJson(object: UnstructuredObject): string {
  const { apiVersion, kind, metadata, ...rest } = object
  const { resourceVersion: _version, selfLink: _link, labels, ...meta } = metadata
  return JSON.stringify({ apiVersion, kind, metadata: labels === undefined ? meta : { labels, ...meta }, ...rest })
}

/** The labels in the bytes of {@link storedJson}; `metadata` is the position behind its opening brace. */
export function storedLabels(payload: Buffer, metadata: number): Readonly<Record<string, string>> | undefined {
  const start = metadata + labelsStart.length
  if (payload.length < start || payload.compare(labelsStart, 0, labelsStart.length, metadata, start) !== 0) return undefined
  let quoted = false
  for (let at = start; at < payload.length; at++) {
    const byte = payload[at]
    if (quoted) {
      if (byte === backslash) at++
      else if (byte === quote) quoted = false
    } else if (byte === quote) quoted = true
    else if (byte === brace) return JSON.parse(payload.toString('utf8', start - 1, at + 1))
  }
  return undefined
}
