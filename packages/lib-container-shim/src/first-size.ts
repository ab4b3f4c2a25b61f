import type { TerminalSize } from '@continuo/workload'

/** A terminal's first size, if it came in time, and all that come after it. */
export interface FirstSize {
  readonly size?: TerminalSize
  readonly rest: AsyncIterable<TerminalSize>
}

/**
 * Takes the first size while `patience` lasts, so that a program finds its terminal's size when it starts instead of a moment later.
 * Nothing is lost: a size that comes too late is the first of `rest`.
 */
export async function firstSize(sizes: AsyncIterable<TerminalSize>, patience: Promise<void>): Promise<FirstSize> {
  const iterator = sizes[Symbol.asyncIterator]()
  const first = iterator.next()
  const early = await Promise.race([first, patience.then(() => undefined)])
  async function* rest(): AsyncGenerator<TerminalSize, void, undefined> {
    let next = early === undefined ? await first : await iterator.next()
    for (; next.done !== true; next = await iterator.next()) yield next.value
  }
  return early === undefined || early.done === true ? { rest: rest() } : { size: early.value, rest: rest() }
}
