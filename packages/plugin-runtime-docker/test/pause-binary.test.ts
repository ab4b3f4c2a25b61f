import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { pauseFolder } from '../src/images/pause-image.ts'

const directory = mkdtempSync(join(tmpdir(), 'continuo-pause-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const platform = `linux-${process.arch}`
const pause = join(pauseFolder(), 'bin', platform, 'pause')
const noCompiler = spawnSync('gcc', ['--version']).status !== 0 && process.env.CI !== 'true'
const elsewhere = process.platform !== 'linux'

describe.skipIf(elsewhere)(`the pause program${elsewhere ? ' (skipped: it runs on Linux)' : ''}`, () => {
  it('is tiny', () => {
    expect(statSync(pause).size).toBeLessThan(2_048)
  })

  it.skipIf(noCompiler)('is what its source builds (needs gcc: apt-get install gcc)', () => {
    execFileSync(process.execPath, [join(pauseFolder(), 'build-pause.ts'), directory])
    const toolchain = (folder: string) => readFileSync(join(folder, platform, 'toolchain.txt'), 'utf8')
    // Another compiler makes other bytes; then it is enough that the source builds.
    if (toolchain(directory) === toolchain(join(pauseFolder(), 'bin')))
      expect(readFileSync(join(directory, platform, 'pause')).equals(readFileSync(pause))).toBe(true)
  })

  it('holds until it is asked to end, and refuses what it does not know', async () => {
    const held = spawn(pause)
    await once(held, 'spawn')
    held.kill('SIGTERM')
    const [code, signal] = await once(held, 'exit')
    // Before it has blocked the signal, the signal itself ends it.
    expect(code === 0 || signal === 'SIGTERM').toBe(true)
    for (const args of [['dial'], ['dial', '0'], ['dial', '65536'], ['dial', '12x'], ['other', '80']])
      expect(spawnSync(pause, args).status).toBe(22)
  })

  it('carries more than any buffer holds both ways at once', async () => {
    const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const relay = spawn(pause, ['dial', String((server.address() as AddressInfo).port)])
    const chunks: Buffer[] = []
    relay.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    const sent = Buffer.alloc(20_000_000, 'abcdefg')
    relay.stdin.end(sent)
    expect(await once(relay, 'exit')).toEqual([0, null])
    const received = Buffer.concat(chunks)
    expect(received.subarray(0, 1).toString()).toBe('+')
    expect(received.subarray(1).equals(sent)).toBe(true)
    server.close()
    await once(server, 'close')
  })

  it('ends with the error of a connection that is refused', () => {
    expect(spawnSync(pause, ['dial', '1']).status).toBe(111)
  })
})
