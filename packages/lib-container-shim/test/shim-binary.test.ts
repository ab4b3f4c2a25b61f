import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { shimFolder } from '../src/shim-binary.ts'

const directory = mkdtempSync(join(tmpdir(), 'continuo-shim-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const platform = `linux-${process.arch}`
const shipped = join(shimFolder(), 'bin', platform)
const compiler = spawnSync('musl-gcc', ['--version'], { encoding: 'utf8' })
const missing = compiler.status !== 0 && process.env.CI !== 'true'

describe('the prebuilt shim', () => {
  test('is small and says its version', () => {
    expect(statSync(join(shipped, 'continuo-shim')).size).toBeLessThan(100_000)
    expect(execFileSync(join(shipped, 'continuo-shim'), ['--version'], { encoding: 'utf8' })).toBe('continuo-shim 1\n')
  })

  test.skipIf(missing)('is what its source builds (needs musl-gcc: apt-get install musl-tools)', () => {
    execFileSync(process.execPath, [join(shimFolder(), 'build-shim.ts'), directory])
    const toolchain = (folder: string) => readFileSync(join(folder, 'toolchain.txt'), 'utf8')
    // Another compiler makes other bytes; then it is enough that the source builds and runs.
    if (toolchain(join(directory, platform)) === toolchain(shipped))
      expect(readFileSync(join(directory, platform, 'continuo-shim')).equals(readFileSync(join(shipped, 'continuo-shim')))).toBe(true)
    expect(execFileSync(join(directory, platform, 'continuo-shim'), ['--version'], { encoding: 'utf8' })).toBe('continuo-shim 1\n')
  })

  test('refuses a state directory without a spec, and a damaged one', () => {
    const shim = join(shipped, 'continuo-shim')
    expect(spawnSync(shim, [directory], { encoding: 'utf8' })).toMatchObject({ status: 1, stderr: expect.stringContaining('cannot read') })
    expect(spawnSync(shim, ['relative'], { encoding: 'utf8' }).status).toBe(2)
    for (const text of ['', 'arg=sh', 'arg=sh\0', 'unknown=1\0arg=sh\0log=x\0', 'nonsense\0']) {
      execFileSync('sh', ['-c', `cat > ${directory}/spec`], { input: text })
      expect(spawnSync(shim, [directory], { encoding: 'utf8' })).toMatchObject({ status: 1, stderr: expect.stringContaining('malformed') })
    }
  })
})
