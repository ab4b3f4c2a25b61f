/** What an image's configuration says, in the form that containers need. */
export interface ImageFacts {
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly env: readonly string[]
  readonly workingDir?: string
  readonly user: string
  readonly stopSignal?: string
}

/** Who the processes of a container are. */
export interface ImageUser {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
  readonly home: string
}

interface ImageConfigFile {
  readonly config?: {
    readonly Entrypoint?: readonly string[] | null
    readonly Cmd?: readonly string[] | null
    readonly Env?: readonly string[] | null
    readonly WorkingDir?: string
    readonly User?: string
    readonly StopSignal?: string
  }
}

/** Reads the configuration of an OCI or a Docker image: they have the same form. */
export function imageFacts(file: ImageConfigFile): ImageFacts {
  const { Entrypoint, Cmd, Env, WorkingDir, User, StopSignal } = file.config ?? {}
  return {
    entrypoint: Entrypoint ?? [],
    command: Cmd ?? [],
    env: Env ?? [],
    user: User ?? '',
    ...(WorkingDir ? { workingDir: WorkingDir } : {}),
    ...(StopSignal ? { stopSignal: StopSignal } : {}),
  }
}

const number = (text: string | undefined): number | undefined => (text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined)

const rows = (text: string): readonly (readonly string[])[] => text.split('\n').map((line) => line.split(':'))

/**
 * Who `user`, `user:group`, `1000` or `1000:1000` is, by the image's own `/etc/passwd` and `/etc/group`. Undefined when it has no such user or group.
 */
export function imageUser(user: string, passwd: string, group: string): ImageUser | undefined {
  const [who = '', which] = user.split(':')
  const wanted = who === '' ? '0' : who
  const row = rows(passwd).find(([name, , id]) => name === wanted || id === wanted)
  const uid = number(wanted) ?? number(row?.[2])
  const named =
    which === undefined || which === '' ? undefined : (number(which) ?? number(rows(group).find(([name]) => name === which)?.[2]))
  if (uid === undefined || (which && named === undefined)) return undefined
  const groups = which
    ? []
    : rows(group).flatMap(([, , id, members]) => (row?.[0] && members?.split(',').includes(row[0]) ? (number(id) ?? []) : []))
  return { uid, gid: named ?? number(row?.[3]) ?? 0, groups, home: row?.[5] || '/' }
}

/** `nginx` is `docker.io/library/nginx:latest` in archives that spell it out, and `nginx:latest` in those that do not: both are this. */
export function canonicalName(image: string): string {
  const short = image.replace(/^docker\.io\/(library\/)?/, '')
  return short.includes('@') || short.slice(short.lastIndexOf('/') + 1).includes(':') ? short : `${short}:latest`
}
