import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, chmod, constants, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { RuntimeError } from '@continuo/workload'

const run = promisify(execFile)

/** The package's `shim` folder, from `src` as well as from `dist`. */
export const shimFolder = (): string => resolve(fileURLToPath(import.meta.url), '../../shim')

const platform = (): string => `${process.platform}-${process.arch}`

/**
 * Finds the shim for this platform and copies it below `directory`, from where it is run: so an upgrade of the package never
 * touches the file of a running shim. Without a prebuilt one it is compiled with `cc`. Throws `RUNTIME_UNAVAILABLE` with what is missing.
 */
export async function prepareShim(directory: string, override?: string): Promise<string> {
  if (override !== undefined) return resolve(override)
  if (process.platform !== 'linux')
    throw new RuntimeError('RUNTIME_UNAVAILABLE', `the process runtime works on Linux only, this is ${process.platform}`, {
      hint: 'use another runtime, or run inside a Linux virtual machine',
    })
  const prebuilt = await readFile(join(shimFolder(), 'bin', platform(), 'continuo-shim')).catch(() => undefined)
  const origin = prebuilt ?? (await readFile(join(shimFolder(), 'shim.c')))
  const target = join(directory, `continuo-shim-${createHash('sha256').update(origin).digest('hex').slice(0, 16)}`)
  if (
    await access(target, constants.X_OK).then(
      () => true,
      () => false,
    )
  )
    return target
  await mkdir(directory, { recursive: true })
  const temporary = `${target}.${process.pid}`
  if (prebuilt !== undefined) await writeFile(temporary, prebuilt, { flush: true })
  else await compile(join(shimFolder(), 'shim.c'), temporary)
  await chmod(temporary, 0o755)
  await rename(temporary, target)
  return target
}

async function compile(source: string, target: string): Promise<void> {
  try {
    await run('cc', ['-std=gnu11', '-O2', '-o', target, source])
  } catch (cause) {
    throw new RuntimeError('RUNTIME_UNAVAILABLE', `no prebuilt shim for ${platform()} and it could not be compiled`, {
      cause,
      hint: 'install a C compiler that is called cc (on Debian: apt-get install gcc libc6-dev)',
    })
  }
}
