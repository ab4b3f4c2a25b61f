// Builds the prebuilt shims: `pnpm --filter @continuo/lib-container-shim run build-shim [output folder]`.
// The same compiler and C library give the same bytes; `toolchain.txt` beside each binary says which these were.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const output = resolve(process.argv[2] ?? join(folder, 'bin'))
const flags = ['-std=gnu11', '-Os', '-static', '-s', '-Wall', '-Wextra', '-Werror', '-fno-ident', '-fno-asynchronous-unwind-tables']
const linking = ['-ffunction-sections', '-fdata-sections', '-Wl,--gc-sections,--build-id=none,-z,noseparate-code']
const compiler = process.env.SHIM_CC ?? 'musl-gcc'
const platform = process.env.SHIM_PLATFORM ?? `linux-${process.arch}`

mkdirSync(join(output, platform), { recursive: true })
execFileSync(compiler, [...flags, ...linking, '-o', join(output, platform, 'continuo-shim'), 'shim.c'], { cwd: folder, stdio: 'inherit' })
const version = execFileSync(compiler, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? ''
writeFileSync(join(output, platform, 'toolchain.txt'), `${version}\n`)
