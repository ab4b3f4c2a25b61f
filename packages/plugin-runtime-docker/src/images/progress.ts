/** One line of what the daemon tells while it pulls or imports. */
export interface Progress {
  readonly status?: string
  readonly id?: string
  readonly error?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
}

/** Longest line that is kept while its end has not been seen. */
const maxLine = 1_048_576

/** Reads JSON objects, one to a line: how the daemon tells progress and events. Anything else is skipped. */
export async function* readJsonLines<T>(source: AsyncIterable<Buffer>): AsyncGenerator<T, void, undefined> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > maxLine) rest = ''
    for (const line of lines) {
      const value = parsed<T>(line)
      if (value !== undefined) yield value
    }
  }
  const last = parsed<T>(rest)
  if (last !== undefined) yield last
}

export const readProgress = (source: AsyncIterable<Buffer>): AsyncGenerator<Progress, void, undefined> => readJsonLines<Progress>(source)

function parsed<T>(line: string): T | undefined {
  try {
    return line.trim() === '' ? undefined : (JSON.parse(line) as T)
  } catch {
    return undefined
  }
}
