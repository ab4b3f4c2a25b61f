import { type FileHandle, open, stat } from 'node:fs/promises'
import { LogView, type LogViewOptions } from './log-view.ts'

/** How a log is read. */
export interface LogReadOptions extends LogViewOptions {
  /** Only so many of the last lines. */
  readonly tailLines?: number
  /** Goes on at the end, until `ended` says that nothing will be added. */
  readonly follow?: boolean
  /** Asked at the end of the log; what was written before it answered true is still read. Default: the log has ended. */
  ended?(): boolean | Promise<boolean>
  /** Waits between two looks at a log that is followed; rejects when the signal aborts. Required with `follow`. */
  wait?(signal: AbortSignal): Promise<void>
  readonly signal?: AbortSignal
}

const chunkBytes = 65_536

/** Most rotated files that are looked for. */
const maxFiles = 100

interface LogFile {
  readonly handle: FileHandle
  readonly inode: number
}

const rotated = (path: string, age: number): string => (age === 0 ? path : `${path}.${age}`)

async function openFile(path: string): Promise<LogFile | undefined> {
  try {
    const handle = await open(path, 'r')
    return { handle, inode: (await handle.stat()).ino }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Opens a log's files that are newer than `after`, oldest first. Rotation in between is noticed by the inode. */
async function openFiles(path: string, after?: number): Promise<LogFile[]> {
  const files: LogFile[] = []
  for (let age = 0; age < maxFiles; age++) {
    const file = await openFile(rotated(path, age))
    const known = file !== undefined && files.some(({ inode }) => inode === file.inode)
    if (file === undefined || known || file.inode === after) {
      await file?.handle.close()
      if (known) continue
      break
    }
    files.unshift(file)
  }
  return files
}

/** Finds where the last `lines` lines begin: the file's index and the offset in it. */
async function findTail(files: readonly LogFile[], lines: number): Promise<{ readonly file: number; readonly offset: number }> {
  let wanted = lines
  const buffer = Buffer.allocUnsafe(chunkBytes)
  for (let index = files.length - 1; index >= 0; index--) {
    const handle = files[index]?.handle
    if (handle === undefined) continue
    const { size } = await handle.stat()
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - chunkBytes)
      const { bytesRead } = await handle.read(buffer, 0, end - start, start)
      for (let at = bytesRead - 1; at >= 0; at--) {
        if (buffer[at] !== 0x0a || start + at === size - 1) continue
        if (--wanted === 0) return { file: index, offset: start + at + 1 }
      }
      end = start
    }
    if (size > 0 && --wanted === 0) return { file: index, offset: 0 }
  }
  return { file: 0, offset: 0 }
}

/**
 * Reads a CRI log with its rotated files (`path`, `path.1`, …), oldest first, as what `kubectl logs` shows. Holds one chunk at a
 * time. A log that does not exist is empty, or not yet begun when it is followed.
 */
export async function* readLog(path: string, options: LogReadOptions = {}): AsyncGenerator<Buffer, void, undefined> {
  const view = new LogView(options)
  const stopped = (): boolean => options.signal?.aborted === true || view.full
  let files = await openFiles(path)
  let current: LogFile | undefined
  try {
    let offset = 0
    if (options.tailLines === 0) {
      while (files.length > 1) await files.shift()?.handle.close()
      offset = (await files[0]?.handle.stat())?.size ?? 0
    } else if (options.tailLines !== undefined) {
      const tail = await findTail(files, options.tailLines)
      for (let skip = tail.file; skip > 0; skip--) await files.shift()?.handle.close()
      offset = tail.offset
    }
    const buffer = Buffer.allocUnsafe(chunkBytes)
    for (;;) {
      const ended = options.follow !== true || (await options.ended?.()) !== false
      for (;;) {
        current ??= files.shift()
        if (current === undefined || stopped()) break
        const { bytesRead } = await current.handle.read(buffer, 0, chunkBytes, offset)
        offset += bytesRead
        if (bytesRead > 0) {
          const shown = view.push(Buffer.from(buffer.subarray(0, bytesRead)))
          if (shown.length > 0) yield shown
          continue
        }
        if (files.length === 0 && (await sameFile(path, current))) break
        if (files.length === 0) files = await openFiles(path, current.inode)
        if (files.length === 0) break
        const { size } = await current.handle.stat()
        if (size > offset) continue
        await current.handle.close()
        current = undefined
        offset = 0
      }
      if (ended || stopped()) return
      await options.wait?.(options.signal ?? new AbortController().signal)
      if (current === undefined && files.length === 0) files = await openFiles(path)
    }
  } catch (error) {
    if (options.signal?.aborted !== true) throw error
  } finally {
    await current?.handle.close()
    for (const file of files) await file.handle.close()
  }
}

async function sameFile(path: string, file: LogFile): Promise<boolean> {
  try {
    return (await stat(path)).ino === file.inode
  } catch {
    return true
  }
}
