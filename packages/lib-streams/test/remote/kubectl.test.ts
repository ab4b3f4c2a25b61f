import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KubectlServer, kubectlPath } from './kubectl-server.ts'

const versions = [
  { version: '1.27', exec: 'exec v4.channel.k8s.io', forward: 'portforward portforward.k8s.io' },
  { version: '1.29', exec: 'exec v4.channel.k8s.io', forward: 'portforward portforward.k8s.io' },
  { version: '1.32', exec: 'exec v5.channel.k8s.io', forward: 'portforward SPDY/3.1+portforward.k8s.io' },
]

describe.for(versions)('kubectl $version', ({ version, exec, forward }) => {
  const binary = kubectlPath(version) ?? ''
  const missing = binary === '' && process.env.CI !== 'true'
  const server = new KubectlServer()
  beforeAll(async () => {
    if (binary === '' && !missing) throw new Error(`kubectl ${version} is missing: put kubectl.${version} beside the kubectl on the PATH`)
    await server.start()
  })
  afterAll(() => server.stop())

  test.skipIf(missing)('exec tells output and errors apart', async () => {
    const result = await server.kubectl(binary, ['exec', 'p', '--', 'sh', '-c', 'echo out; echo err >&2'])
    expect(result).toEqual({ code: 0, out: 'out\n', err: 'err\n' })
    expect(server.seen).toEqual([exec])
  })

  test.skipIf(missing)('exec ends with the exit code of the command', async () => {
    expect(await server.kubectl(binary, ['exec', 'p', '--', 'sh', '-c', 'exit 7'])).toMatchObject({
      code: 7,
      err: 'command terminated with exit code 7\n',
    })
  })

  test.skipIf(missing)('exec -i passes megabytes through and ends the input', async () => {
    const input = 'x'.repeat(3_000_000)
    const result = await server.kubectl(binary, ['exec', '-i', 'p', '--', 'sh', '-c', 'cat; echo end'], input)
    expect(result.err).toBe('')
    expect(result.code).toBe(0)
    expect(result.out.length).toBe(input.length + 4)
  })

  test.skipIf(missing)('attach -i talks to the container', async () => {
    const result = await server.kubectl(binary, ['attach', '-i', 'p', '-c', 'main'], 'hello\n')
    expect(result.out).toBe('hello\n')
    expect(result.code).toBe(0)
  })

  test.skipIf(missing)('exec -it tells the size of the terminal, and when it changes', async () => {
    const command = server.line(binary, ['exec', '-it', 'p', '--', 'cat']).join(' ')
    const script = `stty rows 33 cols 111; (sleep 0.5; stty rows 44 cols 99 </dev/tty) & ${command}`
    const child = server.program('script', ['--quiet', '--return', '--command', script, '/dev/null'])
    await expect.poll(() => server.sizes, { timeout: 10_000 }).toContain('111x33')
    await expect.poll(() => server.sizes, { timeout: 10_000 }).toContain('99x44')
    child.stdin?.write('typed\r')
    let seen = ''
    child.stdout?.on('data', (chunk) => {
      seen += chunk
    })
    await expect.poll(() => seen).toContain('typed')
    child.kill('SIGKILL')
    await expect.poll(() => server.running, { timeout: 10_000 }).toBe(0)
  })

  test.skipIf(missing)('exec is noticed when the client is killed', async () => {
    const child = server.run(binary, ['exec', 'p', '--', 'sleep', '1000'])
    await expect.poll(() => server.running, { timeout: 10_000 }).toBe(1)
    child.kill('SIGKILL')
    await expect.poll(() => server.running, { timeout: 10_000 }).toBe(0)
  })

  test.skipIf(missing)('port-forward carries several connections', async () => {
    const target = createServer((request, response) => response.end(`you asked ${request.url} ${'y'.repeat(300_000)}`))
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
    const port = (target.address() as AddressInfo).port
    const child = server.run(binary, ['port-forward', 'p', `:${port}`])
    let text = ''
    const local = await new Promise<string>((resolve, reject) => {
      child.stdout?.on('data', (chunk) => {
        text += chunk
        const found = /127\.0\.0\.1:(\d+) ->/.exec(text)
        if (found?.[1] !== undefined) resolve(found[1])
      })
      child.on('close', () => reject(new Error(`kubectl ended: ${text}`)))
    })
    const answers = await Promise.all(['/a', '/b', '/c'].map(async (path) => (await fetch(`http://127.0.0.1:${local}${path}`)).text()))
    expect(answers.map((answer) => answer.slice(0, 12))).toEqual(['you asked /a', 'you asked /b', 'you asked /c'])
    expect(answers.every((answer) => answer.length === 300_013)).toBe(true)
    expect(server.seen.at(-1)).toBe(forward)
    child.kill('SIGKILL')
    target.closeAllConnections()
    target.close()
  })
})
