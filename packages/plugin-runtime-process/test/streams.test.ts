import { createServer } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collect, eventually, Host, processesWith } from './harness.ts'

let host: Host

beforeAll(() => {
  host = new Host()
})
afterAll(() => host.close())

const deadline = () => AbortSignal.timeout(10_000)

/** Runs a command and returns what it wrote. */
async function exec(uid: string, command: string[], input?: string, tty = false) {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const [out, err] = [collect(stdout), collect(stderr)]
  const stdin = input === undefined ? undefined : new PassThrough().end(input)
  const code = await host.runtime.exec({ sandbox: uid, name: 'main' }, command, { stdin, stdout, stderr, tty }, deadline())
  return { code, out: await out, err: await err }
}

describe('exec', () => {
  beforeAll(() => host.run('exec', 'sleep 1000', { env: [{ name: 'COLOUR', value: 'red' }] }))

  test('runs in the context of the container and tells output, errors and exit code apart', async () => {
    const result = await exec('exec', ['sh', '-c', 'echo $COLOUR $POD_IP; echo bad >&2; exit 9'])
    const { ips } = await host.sandbox('exec')
    expect(result).toEqual({ code: 9, out: `red ${ips[0]}\n`, err: 'bad\n' })
    expect(await host.logs('exec')).toBe('')
  })

  test('reports a command killed by a signal as 128 + its number', async () => {
    expect((await exec('exec', ['sh', '-c', 'kill -KILL $$'])).code).toBe(137)
  })

  test('passes input on, and its end', async () => {
    const input = 'line\n'.repeat(200_000)
    const result = await exec('exec', ['sh', '-c', 'wc -c; echo done'], input)
    expect(result.out.replaceAll(' ', '')).toBe(`${input.length}\ndone\n`)
  })

  test('keeps every byte of a large output for a slow reader', async () => {
    const stdout = new PassThrough({ highWaterMark: 1 })
    let bytes = 0
    stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      stdout.pause()
      setImmediate(() => stdout.resume())
    })
    const code = await host.runtime.exec(
      { sandbox: 'exec', name: 'main' },
      ['head', '-c', '5000000', '/dev/zero'],
      { stdout, tty: false },
      deadline(),
    )
    await eventually('all read', () => bytes === 5_000_000)
    expect(code).toBe(0)
  })

  test('gives a terminal with the size of the client, and follows it', async () => {
    const stdout = new PassThrough()
    const stdin = new PassThrough()
    let seen = ''
    stdout.on('data', (chunk) => {
      seen += chunk
    })
    let resizeTo: (size: { width: number; height: number }) => void = () => {}
    async function* resize() {
      yield { width: 100, height: 30 }
      yield await new Promise<{ width: number; height: number }>((resolve) => {
        resizeTo = resolve
      })
    }
    const command = [
      'sh',
      '-c',
      'trap "stty size" WINCH; tty >/dev/null && echo terminal; while :; do read line; [ "$line" = quit ] && exit 4; done',
    ]
    const ended = host.runtime.exec({ sandbox: 'exec', name: 'main' }, command, { stdin, stdout, tty: true, resize: resize() }, deadline())
    await eventually('a terminal', () => seen.includes('terminal'))
    stdin.write('stty size\n')
    resizeTo({ width: 81, height: 25 })
    await eventually('the new size', () => seen.includes('25 81'))
    stdin.write('quit\n')
    expect(await ended).toBe(4)
  })

  test('finds the size of the terminal when it starts, and starts without one all the same', async () => {
    const size = async (resize: AsyncIterable<{ width: number; height: number }>) => {
      const stdout = new PassThrough()
      const out = collect(stdout)
      await host.runtime.exec(
        { sandbox: 'exec', name: 'main' },
        ['stty', 'size'],
        { stdin: new PassThrough(), stdout, tty: true, resize },
        deadline(),
      )
      return (await out).trim()
    }
    async function* soon() {
      await new Promise((resolve) => setTimeout(resolve, 20))
      yield { width: 77, height: 33 }
    }
    async function* never() {
      await new Promise(() => {})
      yield { width: 1, height: 1 }
    }
    expect(await size(soon())).toBe('33 77')
    expect(await size(never())).toBe('0 0')
  })

  test('refuses a command that does not exist', async () => {
    await expect(exec('exec', ['no-such-program'])).rejects.toMatchObject({
      code: 'RUNTIME_START_FAILED',
      message: expect.stringContaining('no-such-program'),
    })
  })

  test('kills the command when it is aborted', async () => {
    const abort = new AbortController()
    const running = host.runtime.exec(
      { sandbox: 'exec', name: 'main' },
      ['sh', '-c', 'MARK=aborted-exec exec sleep 1000'],
      { tty: false },
      abort.signal,
    )
    await eventually('it runs', () => processesWith('MARK=aborted-exec').length === 1)
    abort.abort()
    await expect(running).rejects.toMatchObject({ name: 'AbortError' })
    await eventually('it is gone', () => processesWith('MARK=aborted-exec').length === 0)
  })

  test('ends with the container', async () => {
    await host.run('exec-end', 'sleep 1000')
    const running = host.runtime.exec({ sandbox: 'exec-end', name: 'main' }, ['sleep', '1000'], { tty: false }, deadline())
    await host.runtime.stop({ sandbox: 'exec-end', name: 'main' }, 0)
    expect(await running).toBe(137)
    await expect(exec('exec-end', ['true'])).rejects.toMatchObject({ code: 'RUNTIME_NOT_FOUND' })
  })

  test('of many at once keeps them apart', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => exec('exec', ['sh', '-c', `echo ${index}; exit ${index}`])))
    expect(results.map(({ code, out }) => `${code} ${out}`)).toEqual(Array.from({ length: 20 }, (_, index) => `${index} ${index}\n`))
  })
})

describe('too many clients', () => {
  test('are told so, and those before them are served', async () => {
    await host.run('crowd', 'sleep 1000')
    const results = await Promise.allSettled(Array.from({ length: 90 }, () => exec('crowd', ['sh', '-c', 'sleep 1; echo served'])))
    const served = results.filter((result) => result.status === 'fulfilled' && result.value.out === 'served\n')
    const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason.code)
    expect(served.length).toBeGreaterThanOrEqual(60)
    expect(served.length + refused.length).toBe(90)
    expect(new Set(refused)).toEqual(new Set(['RUNTIME_UNAVAILABLE']))
    expect((await exec('crowd', ['echo', 'again'])).out).toBe('again\n')
  })
})

describe('attach', () => {
  test('shows output from now on, passes input, and ends it once', async () => {
    await host.run('attach', 'cat; echo over', { stdin: true, stdinOnce: true })
    const [stdin, stdout] = [new PassThrough(), new PassThrough()]
    const out = collect(stdout)
    const attached = host.runtime.attach({ sandbox: 'attach', name: 'main' }, { stdin, stdout, tty: false }, deadline())
    stdin.end('hello\n')
    await attached
    expect(await out).toBe('hello\nover\n')
    expect((await host.ended('attach')).exitCode).toBe(0)
    expect(await host.logs('attach')).toBe('hello\nover\n')
  })

  test('leaves the input open for the next client without stdinOnce', async () => {
    await host.run('attach2', 'cat', { stdin: true })
    for (const text of ['one\n', 'two\n']) {
      const stdin = new PassThrough()
      const abort = new AbortController()
      const attached = host.runtime.attach({ sandbox: 'attach2', name: 'main' }, { stdin, tty: false }, abort.signal)
      stdin.end(text)
      await eventually(text, async () => (await host.logs('attach2')).endsWith(text))
      abort.abort()
      await attached
    }
    expect(await host.state('attach2')).toMatchObject({ state: 'running' })
    expect(await host.logs('attach2')).toBe('one\ntwo\n')
  })

  test('goes to a terminal', async () => {
    await host.run('attach3', 'read line; echo "got $line"; exit 3', { stdin: true, stdinOnce: true, tty: true })
    const [stdin, stdout] = [new PassThrough(), new PassThrough()]
    const out = collect(stdout)
    const attached = host.runtime.attach({ sandbox: 'attach3', name: 'main' }, { stdin, stdout, tty: true }, deadline())
    stdin.write('word\n')
    await attached
    expect(await out).toContain('got word\r\n')
    expect((await host.ended('attach3')).exitCode).toBe(3)
  })

  test('of a client that reads nothing does not hold the container up', async () => {
    await host.run('attach4', 'sleep 0.3; head -c 100000 /dev/zero | tr "\\0" x; echo; exit 6')
    const stuck = new PassThrough({ highWaterMark: 1 })
    const abort = new AbortController()
    const attached = host.runtime.attach({ sandbox: 'attach4', name: 'main' }, { stdout: stuck, tty: false }, abort.signal)
    expect((await host.ended('attach4')).exitCode).toBe(6)
    abort.abort()
    stuck.destroy()
    await attached
    expect((await host.logs('attach4')).length).toBe(100_001)
  })
})

describe('port-forward', () => {
  test('reaches the port of the sandbox', async () => {
    const { ips } = await host.sandbox('port')
    const server = createServer({ allowHalfOpen: true }, (socket) =>
      socket.on('data', (data) => socket.write(`echo ${data}`)).on('end', () => socket.end('bye')),
    )
    await new Promise<void>((resolve) => server.listen(0, ips[0], resolve))
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const stream = await host.runtime.portForward('port', port, deadline())
    const text = collect(stream)
    stream.write('hi ')
    stream.end()
    expect(await text).toBe('echo hi bye')
    server.close()
  })

  test('says that nobody listens', async () => {
    const { ips } = await host.sandbox('port')
    await expect(host.runtime.portForward('port', 1, deadline())).rejects.toMatchObject({
      code: 'RUNTIME_UNAVAILABLE',
      message: `dial tcp4 ${ips[0]}:1: connect: connection refused`,
    })
  })
})
