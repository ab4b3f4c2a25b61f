import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { encodeSpec, parseExit, prepareShim } from '@continuo/lib-container-shim'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collect, eventually, Host, noNamespaces } from './harness.ts'

let host: Host

beforeAll(() => {
  host = new Host()
})
afterAll(() => host.close())

describe('logs', () => {
  test('keep every byte: long lines, no final line feed, bytes that are no text', async () => {
    await host.run('bytes', 'head -c 50000 /dev/zero | tr "\\0" y; printf "\\n\\377\\000\\n"; printf end')
    await host.ended('bytes')
    expect(await host.logs('bytes')).toBe(`${'y'.repeat(50_000)}\n${Buffer.from([0xff, 0])}\nend`)
    const lines = readFileSync(join(host.containerPath('bytes'), 'log'), 'latin1').split('\n')
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z stdout P y+$/)
    expect(lines.slice(0, 4).map((line) => line.split(' ')[2])).toEqual(['P', 'P', 'P', 'F'])
  })

  test('are followed to the end of the container', async () => {
    await host.run('follow', 'for i in 1 2 3; do echo line $i; sleep 0.1; done')
    expect(await host.logs('follow', { follow: true })).toBe('line 1\nline 2\nline 3\n')
  })

  test('show a tail, times, one stream, and no more than the limit', async () => {
    await host.run('options', 'echo a; echo b >&2; echo c; echo d')
    await host.ended('options')
    expect((await host.logs('options', { tailLines: 2 })).split('\n').length).toBe(3)
    expect(await host.logs('options', { stream: 'Stdout', tailLines: 1 })).toMatch(/^(d\n)?$/)
    expect(await host.logs('options', { stream: 'Stderr', timestamps: true })).toMatch(/^\d{4}-\S+Z b\n$/)
    expect((await host.logs('options', { limitBytes: 3 })).length).toBe(3)
    expect(await host.logs('options', { since: Date.now() + 60_000 })).toBe('')
  })

  test('of the attempt before are shown by previous', async () => {
    await host.run('previous', 'echo first')
    await host.ended('previous')
    await expect(host.logs('previous', { previous: true })).rejects.toMatchObject({ code: 'RUNTIME_NOT_FOUND' })
    await host.run('previous', 'echo second', { attempt: 1 })
    await host.ended('previous')
    expect(await host.logs('previous', { previous: true })).toBe('first\n')
    const out = new PassThrough()
    const text = collect(out)
    const options = { follow: false, previous: true, timestamps: false }
    await host.runtime.logs({ sandbox: 'previous', name: 'main', attempt: 0 }, options, out, AbortSignal.timeout(5000))
    out.end()
    expect(await text).toBe('first\n')
    expect(await host.logs('previous')).toBe('second\n')
  })

  test('are rotated by size, and a follower loses no line', async () => {
    const abort = new AbortController()
    const out = new PassThrough()
    const text = collect(out)
    await host.run(
      'rotate',
      'i=0; while [ $i -lt 400 ]; do echo "line $i 0123456789012345678901234567890123456789"; i=$((i+1)); [ $((i%20)) = 0 ] && sleep 0.02; done',
      {
        log: { maxBytes: 4000, maxFiles: 20 },
      },
    )
    const options = { follow: true, previous: false, timestamps: false }
    await host.runtime.logs({ sandbox: 'rotate', name: 'main' }, options, out, abort.signal)
    out.end()
    const lines = (await text).trim().split('\n')
    expect(lines.map((line) => Number(line.split(' ')[1]))).toEqual(Array.from({ length: 400 }, (_, index) => index))
    const files = readdirSync(host.containerPath('rotate')).filter((name) => name.startsWith('log'))
    expect(files.length).toBeGreaterThan(5)
    expect(files.length).toBeLessThanOrEqual(20)
    for (const file of files) expect(statSync(join(host.containerPath('rotate'), file)).size).toBeLessThanOrEqual(4000)
  })

  test('keep no more files than asked', async () => {
    await host.run('few', 'i=0; while [ $i -lt 200 ]; do echo "line $i 0123456789"; i=$((i+1)); done', {
      log: { maxBytes: 1000, maxFiles: 2 },
    })
    await host.ended('few')
    expect(
      readdirSync(host.containerPath('few'))
        .filter((name) => name.startsWith('log'))
        .sort(),
    ).toEqual(['log', 'log.1'])
    expect(await host.logs('few', { tailLines: 3 })).toBe('line 197 0123456789\nline 198 0123456789\nline 199 0123456789\n')
  })
})

describe('a full disk', () => {
  const directory = mkdtempSync(join(tmpdir(), 'continuo-full-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  const spec = (script: string, log: string) =>
    encodeSpec({
      args: ['sh', '-c', script],
      env: { PATH: process.env.PATH ?? '' },
      cwd: '/',
      cwdElse: '/',
      noNewPrivileges: false,
      tty: false,
      stdin: false,
      stdinOnce: false,
      log,
      logBytes: 0,
      logFiles: 1,
      mounts: [],
      hostname: 'host',
      namespaces: false,
    })

  const exit = () => {
    try {
      return parseExit(readFileSync(join(directory, 'exit'), 'utf8'))
    } catch {
      return undefined
    }
  }

  test('neither stops the container nor hides its exit code', async () => {
    const shim = await prepareShim(directory)
    symlinkSync('/dev/full', join(directory, 'log'))
    writeFileSync(join(directory, 'spec'), spec('echo lost; echo lost; exit 3', join(directory, 'log')))
    execFileSync(shim, [directory])
    expect(await eventually('the exit record', exit)).toMatchObject({ code: 3 })
  })

  test.skipIf(noNamespaces)('costs whole records only, and the log says how much once there is room again', async () => {
    const shim = await prepareShim(directory)
    const small = join(directory, 'small')
    rmSync(join(directory, 'exit'))
    const script = `head -c 200000 /dev/zero | tr '\\0' 'z' | fold -w 99; echo; sleep 0.2; cp ${small}/log ${directory}/before; rm ${small}/filler; echo after; sleep 0.1; cp ${small}/log ${directory}/copy; exit 5`
    writeFileSync(join(directory, 'spec'), spec(script, join(small, 'log')))
    // A file system of 128 KB in a mount namespace of its own.
    const setup = `mkdir -p ${small} && mount -t tmpfs -o size=128k none ${small} && head -c 60000 /dev/zero > ${small}/filler && exec ${shim} ${directory}`
    execFileSync('unshare', [...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']), '--mount', 'sh', '-c', setup])
    expect(await eventually('the exit record', exit)).toMatchObject({ code: 5 })
    const lines = readFileSync(join(directory, 'copy'), 'utf8').trimEnd().split('\n')
    expect(lines.every((line) => /^\d{4}-\S+Z std(out|err) F /.test(line))).toBe(true)
    expect(lines.at(-2)).toMatch(/ stderr F continuo-shim: \d+ bytes of output could not be written to the log$/)
    expect(lines.at(-1)).toMatch(/ stdout F after$/)
  })
})
