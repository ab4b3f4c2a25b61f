import type { Log } from '../../src/index.ts'

export interface Entry extends Record<string, unknown> {
  readonly level: string
  readonly message: string
}

/** A log that keeps its entries, with the fields of its children. */
export function createRecordingLog(entries: Entry[] = [], fields: Record<string, unknown> = {}): Log & { readonly entries: Entry[] } {
  const at = (level: string) => (more: Record<string, unknown>, message: string) =>
    void entries.push({ ...fields, ...more, level, message })
  return {
    entries,
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more) => createRecordingLog(entries, { ...fields, ...more }),
  }
}
