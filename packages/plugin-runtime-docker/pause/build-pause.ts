// Builds the pause program: `pnpm --filter @continuo/plugin-runtime-docker run build-pause [output folder]`.
// The same compiler gives the same bytes; `toolchain.txt` beside each binary says which it was.
// For another platform name the compiler and the platform: `PAUSE_CC=aarch64-linux-gnu-gcc PAUSE_PLATFORM=linux-arm64`.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const output = resolve(process.argv[2] ?? join(folder, 'bin'))
const compiler = process.env.PAUSE_CC ?? 'gcc'
const platform = process.env.PAUSE_PLATFORM ?? `linux-${process.arch}`
const flags = ['-std=gnu11', '-Os', '-static', '-nostdlib', '-ffreestanding', '-fno-pie', '-no-pie', '-s', '-Wall', '-Wextra', '-Werror']
const plain = [
  '-fno-ident',
  '-fno-asynchronous-unwind-tables',
  '-fno-stack-protector',
  '-fcf-protection=none',
  '-fno-tree-loop-distribute-patterns',
]
const linking = ['-Wl,--build-id=none,-z,norelro,-z,noseparate-code,--gc-sections,-n,--no-warn-rwx-segments']

mkdirSync(join(output, platform), { recursive: true })
const target = join(output, platform, 'pause')
const processor = platform.endsWith('x64') ? [] : ['-mno-outline-atomics']
execFileSync(
  compiler,
  [
    ...flags,
    ...plain.filter((flag) => processor.length === 0 || !flag.includes('cf-prot')),
    ...processor,
    ...linking,
    '-o',
    target,
    'pause.c',
  ],
  { cwd: folder, stdio: 'inherit' },
)
const version = execFileSync(compiler, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? ''
writeFileSync(join(output, platform, 'toolchain.txt'), `${version}\n`)
