import type { TerminalSize } from './remote-command.ts'

/** Longest text of one size; longer ones are dropped. */
const maxText = 1024

/** Parses the JSON objects that clients send on the resize stream (`{"Width":80,"Height":24}`), however they are cut. */
export class TerminalSizeParser {
  #rest = ''

  push(chunk: Uint8Array): TerminalSize[] {
    const parts = (this.#rest + Buffer.from(chunk).toString('utf8')).split('}')
    const rest = parts.pop() ?? ''
    this.#rest = rest.length > maxText ? '' : rest
    return parts.map((part) => parseSize(`${part}}`)).filter((size) => size !== undefined)
  }
}

function parseSize(text: string): TerminalSize | undefined {
  try {
    const size = JSON.parse(text) as Record<string, unknown>
    const width = size.Width ?? size.width
    const height = size.Height ?? size.height
    if (typeof width !== 'number' || typeof height !== 'number' || !(width >= 0 && width <= 65_535 && height >= 0 && height <= 65_535))
      return undefined
    return { width, height }
  } catch {
    return undefined
  }
}

/** Hands the latest size to one reader; a size that was not read in time is replaced by the next. */
export class TerminalSizes implements AsyncIterable<TerminalSize> {
  #latest: TerminalSize | undefined
  #ended = false
  #wake: () => void = () => {}

  push(size: TerminalSize): void {
    this.#latest = size
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TerminalSize, void, undefined> {
    for (;;) {
      if (this.#latest !== undefined) {
        const size = this.#latest
        this.#latest = undefined
        yield size
      } else if (this.#ended) return
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}
