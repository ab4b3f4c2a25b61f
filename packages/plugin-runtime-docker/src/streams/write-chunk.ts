import type { Writable } from 'node:stream'

/** Writes and waits for room. Resolves false when the reader has gone. */
export async function writeChunk(out: Writable, chunk: Buffer): Promise<boolean> {
  if (out.destroyed || out.writableEnded) return false
  if (out.write(chunk)) return true
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'close', 'error']) out.off(event, done)
      resolve()
    }
    for (const event of ['drain', 'close', 'error']) out.on(event, done)
  })
  return !out.destroyed
}
