/** A volume of a container: a path of the host and where the container sees it. */
export interface ShimMount {
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
}

/** What the shim is told in `spec`; see `shim/shim.c`. Times are not among it: the shim has the only clock of a container. */
export interface ShimSpec {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Taken when `cwd` cannot be entered. */
  readonly cwdElse: string
  readonly noNewPrivileges: boolean
  readonly tty: boolean
  readonly stdin: boolean
  readonly stdinOnce: boolean
  /** Absolute path of the log. */
  readonly log: string
  /** Bytes after which the log is rotated; 0 never. */
  readonly logBytes: number
  /** Files kept, the current one among them. */
  readonly logFiles: number
  readonly mounts: readonly ShimMount[]
  readonly hostname: string
  /** Whether namespaces may be used: volumes at their true paths, and the host name. */
  readonly namespaces: boolean
  /** Bytes of memory above which the container is killed. */
  readonly memory?: number
  readonly openFiles?: number
  readonly uid?: number
  readonly gid?: number
  readonly groups?: readonly number[]
}

/** What a shim recorded when its command had started. */
export interface ShimStart {
  readonly boot: string
  readonly shim: number
  /** Start time of the shim in clock ticks since boot: with the boot id it names one process for ever. */
  readonly shimStart: number
  readonly pid: number
  readonly pidStart: number
  /** Milliseconds since the epoch. */
  readonly started: number
  /** Whether volumes are at their true paths: all, some, or none. */
  readonly mounts: 'namespace' | 'partial' | 'none'
}

/** What a shim recorded when its command had ended, or could not be started (`error`). */
export interface ShimExit {
  readonly code: number
  readonly signal: number
  /** The container was killed because it exceeded its memory limit. */
  readonly outOfMemory: boolean
  /** Milliseconds since the epoch. */
  readonly finished: number
  readonly error?: string
}

const item = (key: string, value: string | number | boolean): string => `${key}=${typeof value === 'boolean' ? Number(value) : value}\0`

/** A NUL byte would end an item early and smuggle in another one; no argument of a process can hold one anyway. */
export const isCleanText = (text: string): boolean => !text.includes('\0')

/** The bytes of `spec`. Every text must be clean (see {@link isCleanText}). */
export function encodeSpec(spec: ShimSpec): Buffer {
  const items = [
    ...spec.args.map((arg) => item('arg', arg)),
    ...Object.entries(spec.env).map(([name, value]) => item('env', `${name}=${value}`)),
    item('cwd', spec.cwd),
    item('cwdElse', spec.cwdElse),
    item('noNewPrivileges', spec.noNewPrivileges),
    item('hostname', spec.hostname),
    item('tty', spec.tty),
    item('stdin', spec.stdin),
    item('stdinOnce', spec.stdinOnce),
    item('log', spec.log),
    item('logBytes', spec.logBytes),
    item('logFiles', spec.logFiles),
    item('namespaces', spec.namespaces),
    ...(spec.memory === undefined ? [] : [item('memory', Math.floor(spec.memory))]),
    ...(spec.openFiles === undefined ? [] : [item('openFiles', spec.openFiles)]),
    ...(spec.uid === undefined ? [] : [item('uid', spec.uid)]),
    ...(spec.gid === undefined ? [] : [item('gid', spec.gid)]),
    ...(spec.groups ?? []).map((group) => item('group', group)),
    ...spec.mounts.flatMap((mount) => [
      item('mountSource', mount.source),
      item('mountTarget', mount.target),
      item('mountReadOnly', mount.readOnly),
    ]),
  ]
  return Buffer.from(items.join(''))
}

/** The payload of an exec request: a process in the container's context. */
export function encodeExec(request: {
  readonly args: readonly string[]
  readonly tty: boolean
  readonly stdin: boolean
  readonly size?: { readonly width: number; readonly height: number }
}): Buffer {
  const { args, tty, stdin, size } = request
  const items = [...args.map((arg) => item('arg', arg)), item('tty', tty), item('stdin', stdin)]
  return Buffer.from([...items, ...(size === undefined ? [] : [item('rows', size.height), item('columns', size.width)])].join(''))
}

function parseRecord(text: string): Map<string, string> {
  return new Map(
    text
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

const milliseconds = (nanoseconds: string): number => Math.floor(Number(nanoseconds.slice(0, -6)))

/** Reads `start`; undefined when it is not a complete record. */
export function parseStart(text: string): ShimStart | undefined {
  const record = parseRecord(text)
  const started = record.get('started')
  const mounts = record.get('mounts')
  if (started === undefined || mounts === undefined || !text.endsWith('\n')) return undefined
  return {
    boot: record.get('boot') ?? '',
    shim: Number(record.get('shim')),
    shimStart: Number(record.get('shimStart')),
    pid: Number(record.get('pid')),
    pidStart: Number(record.get('pidStart')),
    started: milliseconds(started),
    mounts: mounts === 'namespace' || mounts === 'partial' ? mounts : 'none',
  }
}

/** Reads `exit`; undefined when it is not a complete record. */
export function parseExit(text: string): ShimExit | undefined {
  const record = parseRecord(text)
  const finished = record.get('finished')
  if (finished === undefined || !text.endsWith('\n')) return undefined
  const error = record.get('error')
  return {
    code: Number(record.get('code')),
    signal: Number(record.get('signal')),
    outOfMemory: record.get('oom') === '1',
    finished: milliseconds(finished),
    ...(error === undefined ? {} : { error }),
  }
}
