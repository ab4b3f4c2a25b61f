/** One record of a container's log in the format of the Container Runtime Interface. */
export interface CriRecord {
  /** `2024-01-01T00:00:00.000000000Z`, always nine digits: sorts as text. */
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  /** The record goes on in the next one of this stream: no line feed after it. */
  readonly partial: boolean
  readonly text: Buffer
}

const space = 0x20

/** The log format's time of wall milliseconds. */
export const formatCriTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000000Z`

/** The bytes of one record with its line feed. `text` must not hold a line feed. */
export function formatCriLine(record: CriRecord): Buffer {
  return Buffer.concat([Buffer.from(`${record.time} ${record.stream} ${record.partial ? 'P' : 'F'} `), record.text, Buffer.from('\n')])
}

/** Parses one line without its line feed; undefined when it is none of ours. Tags after the first (`F:tag`) are ignored. */
export function parseCriLine(line: Buffer): CriRecord | undefined {
  const first = line.indexOf(space)
  const second = line.indexOf(space, first + 1)
  if (first < 20 || second < 0) return undefined
  const third = line.indexOf(space, second + 1)
  const stream = line.toString('latin1', first + 1, second)
  const tag = line[second + 1]
  if ((stream !== 'stdout' && stream !== 'stderr') || (tag !== 0x46 && tag !== 0x50)) return undefined
  return {
    time: line.toString('latin1', 0, first),
    stream,
    partial: tag === 0x50,
    text: third < 0 ? line.subarray(line.length) : line.subarray(third + 1),
  }
}
