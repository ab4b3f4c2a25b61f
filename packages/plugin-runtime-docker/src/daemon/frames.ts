/** A piece of what a container wrote. */
export interface Frame {
  readonly stream: 'stdout' | 'stderr'
  readonly data: Buffer
}

const headerBytes = 8
const stderr = 2

/**
 * Takes a stream of the daemon apart: each message has a header of eight bytes with its stream and its length. Holds one message at a
 * time. With a terminal there are no headers, and everything is output.
 * @see https://docs.docker.com/reference/api/engine/ (attach: stream format)
 */
export async function* readFrames(source: AsyncIterable<Buffer>, terminal: boolean): AsyncGenerator<Frame, void, undefined> {
  if (terminal) {
    for await (const data of source) yield { stream: 'stdout', data }
    return
  }
  let parts: Buffer[] = []
  let held = 0
  let wanted = headerBytes
  for await (const chunk of source) {
    parts.push(chunk)
    held += chunk.length
    if (held < wanted) continue
    let data = parts.length === 1 ? chunk : Buffer.concat(parts)
    while (data.length >= headerBytes) {
      const end = headerBytes + data.readUInt32BE(4)
      if (data.length < end) break
      yield { stream: data[0] === stderr ? 'stderr' : 'stdout', data: data.subarray(headerBytes, end) }
      data = data.subarray(end)
    }
    parts = [data]
    held = data.length
    wanted = data.length < headerBytes ? headerBytes : headerBytes + data.readUInt32BE(4)
  }
}
