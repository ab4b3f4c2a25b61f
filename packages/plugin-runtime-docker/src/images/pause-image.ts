import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RuntimeError } from '@continuo/workload'
import { pack } from 'tar-stream'
import type { Daemon } from '../daemon/daemon.ts'
import { readProgress } from './progress.ts'

/** The package's `pause` folder, from `src` as well as from `dist`. */
export const pauseFolder = (): string => resolve(fileURLToPath(import.meta.url), '../../../pause')

/** Docker's words for processors, in Node's. */
const platforms: Readonly<Record<string, string>> = {
  x86_64: 'linux-x64',
  amd64: 'linux-x64',
  aarch64: 'linux-arm64',
  arm64: 'linux-arm64',
}

/**
 * Makes sure that the daemon has the image of sandboxes, which comes with the package, and tells its name. The name holds the digest of the
 * program, so that every version has an image of its own.
 */
export async function ensurePauseImage(daemon: Daemon, architecture: string): Promise<string> {
  const platform = platforms[architecture]
  const program = platform === undefined ? undefined : await readFile(join(pauseFolder(), 'bin', platform, 'pause')).catch(() => undefined)
  if (program === undefined)
    throw new RuntimeError('RUNTIME_UNAVAILABLE', `no pause program for Docker on ${architecture}`, {
      hint: `build one with "npm run build-pause" for one of ${[...new Set(Object.values(platforms))].join(', ')}`,
    })
  const tag = createHash('sha256').update(program).digest('hex').slice(0, 12)
  const name = `continuo/pause:${tag}`
  const known = await daemon.find('look for the pause image', (docker) => docker.getImage(name).inspect())
  if (known === undefined) await importPause(daemon, program, tag)
  return name
}

async function importPause(daemon: Daemon, program: Buffer, tag: string): Promise<void> {
  const archive = pack()
  archive.entry({ name: 'pause', mode: 0o755, mtime: new Date(0) }, program)
  archive.finalize()
  const changes = ['ENTRYPOINT ["/pause"]', 'LABEL continuo.dev/role=pause-image']
  const progress = await daemon.call('import the pause image', (docker) =>
    docker.importImage(archive as never, { repo: 'continuo/pause', tag, changes }),
  )
  for await (const { error } of readProgress(progress as AsyncIterable<Buffer>))
    if (error !== undefined) throw new RuntimeError('RUNTIME_UNAVAILABLE', `cannot import the pause image: ${error}`)
}
