import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Bench } from './cluster.ts'
import { pod, shell } from './objects.ts'
import { fetchText } from './running.ts'

const server =
  "require('node:http').createServer((q, s) => s.end('pod ' + process.env.HOSTNAME)).listen(8080, process.env.POD_IP, () => console.log('up'))"
const talker = "echo one; echo two >&2; n=0; trap 'exit 0' TERM; while :; do n=$((n+1)); echo tick $n; sleep 0.3; done"
const echoes = 'while read line; do echo "got $line"; done; echo end; sleep 300'

/** A kubectl that goes on, and what it has said so far. */
interface Running {
  readonly child: ChildProcess
  said(): string
  [Symbol.asyncDispose](): Promise<void>
}

/** `logs`, `exec`, `attach`, `cp` and `port-forward`: the verbs that hold a stream to the node. */
export function streamCases(bench: () => Bench): void {
  const start = (...args: readonly string[]): Running => {
    const { binary, cluster, namespace } = bench()
    return watched(spawn(binary, ['--kubeconfig', cluster.process.kubeconfig, '-n', namespace, ...args]))
  }
  /** On a terminal of 33 rows and 111 columns; what is typed is written to `child.stdin`. */
  const onTerminal = (...args: readonly string[]): Running => {
    const { binary, cluster, namespace } = bench()
    const line = [binary, '--kubeconfig', cluster.process.kubeconfig, '-n', namespace, ...args]
      .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
      .join(' ')
    return watched(
      spawn('script', ['-qefc', `stty rows 33 cols 111; exec ${line}`, '/dev/null'], {
        env: { ...process.env, SHELL: '/bin/sh', TERM: 'xterm' },
      }),
    )
  }

  beforeAll(async () => {
    const { feed, ok } = bench()
    await feed(
      [
        pod('talker', talker, { labels: { speaks: 'yes' } }),
        pod('two', '', {
          spec: {
            containers: [
              { ...shell('echo from a; sleep 300'), name: 'a' },
              { ...shell('echo from b; sleep 300'), name: 'b' },
            ],
          },
          labels: { speaks: 'yes' },
        }),
        pod('web', '', { spec: { containers: [{ name: 'main', image: 'host', command: ['node', '-e', server] }] } }),
        pod('listener', '', { spec: { containers: [shell(echoes, { stdin: true })] } }),
        pod('done', 'echo last words; exit 3'),
        pod('waiting', 'true', { spec: { containers: [{ name: 'main', image: 'registry.example.com/none:1' }] } }),
      ],
      'create',
      '-f',
      '-',
    )
    await ok('wait', '--for=condition=Ready', '--timeout=60s', 'pod/talker', 'pod/two', 'pod/web', 'pod/listener')
    await ok('wait', '--for=jsonpath={.status.phase}=Failed', '--timeout=60s', 'pod/done')
  })

  test('logs prints both streams; --tail, --since, --timestamps, --limit-bytes and -c choose', async () => {
    const { ok } = bench()
    expect(await ok('logs', 'talker')).toMatch(/^(?=[\s\S]*^one$)(?=[\s\S]*^two$)[\s\S]*^tick 1$/m)
    expect(await ok('logs', 'talker', '--tail=1')).toMatch(/^tick \d+\n$/)
    expect(await ok('logs', 'two', '-c', 'b', '--since=1h')).toBe('from b\n')
    expect(await ok('logs', 'two', '-c', 'b', '--since-time=2100-01-01T00:00:00Z')).toBe('')
    expect(await ok('logs', 'done', '--timestamps')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z last words\n$/)
    expect(await ok('logs', 'done', '--limit-bytes=4')).toBe('last')
    expect((await ok('logs', 'two', '--all-containers')).trim().split('\n').sort()).toEqual(['from a', 'from b'])
    expect((await ok('logs', '-l', 'speaks=yes', '--all-containers', '--prefix', '--tail=3')).split('\n')).toEqual(
      expect.arrayContaining(['[pod/two/a] from a', '[pod/two/b] from b', expect.stringMatching(/^\[pod\/talker\/main\] tick \d+$/)]),
    )
  })

  test('logs -f goes on until the container ends', async () => {
    const { feed, ok } = bench()
    await feed(pod('ending', 'for n in 1 2 3; do echo line $n; sleep 0.4; done'), 'create', '-f', '-')
    await eventually(async () => expect(await ok('logs', 'ending')).toContain('line 1'))
    expect(await ok('logs', '-f', 'ending')).toBe('line 1\nline 2\nline 3\n')
    await using follow = start('logs', '-f', 'talker', '--tail=1')
    await eventually(() => expect(follow.said().split('\n').length).toBeGreaterThan(4))
  })

  test('logs --previous shows the container before', async () => {
    const { feed, ok, refused } = bench()
    await feed(pod('again', 'echo run $HOSTNAME; sleep 1; exit 1', { spec: { restartPolicy: 'Always' } }), 'create', '-f', '-')
    expect(await refused('logs', 'talker', '--previous')).toBe(
      'Error from server (BadRequest): previous terminated container "main" in pod "talker" not found\n',
    )
    await eventually(
      async () => expect((await bench().stored('pods', 'again')).status.containerStatuses[0].restartCount).toBeGreaterThan(0),
      40_000,
    )
    expect(await ok('logs', 'again', '--previous')).toBe('run again\n')
    await ok('delete', 'pod', 'again', '--now')
  })

  test('logs says why there are none', async () => {
    const { refused } = bench()
    expect(await refused('logs', 'none')).toMatch(/pods "none" not found/)
    expect(await refused('logs', 'talker', '-c', 'none')).toMatch(/container none is not valid for pod talker/)
    expect(await refused('logs', 'waiting')).toMatch(
      /^Error from server \(BadRequest\): container "main" in pod "waiting" is waiting to start: (trying and failing to pull image|image can't be pulled|ContainerCreating|ErrImagePull|ImagePullBackOff)/,
    )
  })

  test('exec runs a command: both streams, the input, and the exit code', async () => {
    const { run, ok, refused } = bench()
    const result = await run(['exec', 'talker', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'])
    expect(result).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\ncommand terminated with exit code 7\n' })
    const big = 'x'.repeat(300_000)
    expect((await run(['exec', '-i', 'talker', '--', 'cat'], { input: big })).stdout).toBe(big)
    expect(await ok('exec', 'two', '-c', 'b', '--', 'printenv', 'HOSTNAME')).toBe('two\n')
    expect((await run(['exec', 'two', '--', 'true'])).stderr).toMatch(/Defaulted container "a" out of: a, b/)
    expect(await refused('exec', 'talker', '--', 'no-such-command')).toMatch(/no-such-command.*executable file not found in \$PATH/)
    expect(await refused('exec', 'done', '--', 'true')).toContain(
      'cannot exec into a container in a completed pod; current phase is Failed',
    )
    expect(await refused('exec', 'none', '--', 'true')).toBe('Error from server (NotFound): pods "none" not found\n')
    expect(await refused('exec', 'two', '-c', 'none', '--', 'true')).toMatch(
      /container (not found|none is not valid for pod two|"none" not found)|container not found \("none"\)/,
    )
  })

  test('exec and attach work over WebSocket and over SPDY, whichever the client is told to use', async () => {
    for (const useWebSockets of ['true', 'false']) {
      const env = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: useWebSockets }
      const result = await bench().run(['exec', '-i', 'talker', '--', 'sh', '-c', 'cat; echo err >&2; exit 6'], { input: 'in', env })
      expect(result).toEqual({ code: 6, stdout: 'in', stderr: 'err\ncommand terminated with exit code 6\n' })
    }
  })

  test('debug adds a container to a running pod', async () => {
    const { ok, stored } = bench()
    await ok('debug', 'pod/web', '--image=host', '-c', 'added', '--quiet', '--', 'sh', '-c', 'echo looking; sleep 100')
    await eventually(async () => expect(await ok('logs', 'web', '-c', 'added')).toBe('looking\n'))
    expect((await stored('pods', 'web')).spec.ephemeralContainers).toMatchObject([{ name: 'added', image: 'host' }])
  })

  test('exec -it gives a real terminal with its size, its signals and what is typed', async () => {
    await using shellOf = onTerminal(
      'exec',
      '-it',
      'talker',
      '--',
      'sh',
      '-c',
      'trap "echo; echo interrupted" INT; test -t 0 && test -t 1 && echo is a terminal; stty size; while read line; do echo "read $line"; done; echo over',
    )
    await eventually(() => expect(shellOf.said()).toMatch(/is a terminal\r\n33 111\r\n/))
    shellOf.child.stdin?.write('typed\r')
    await eventually(() => expect(shellOf.said()).toMatch(/typed\r\nread typed\r\n/))
    shellOf.child.stdin?.write('\x03')
    await eventually(() => expect(shellOf.said()).toMatch(/interrupted/))
    shellOf.child.stdin?.write('\x04')
    await eventually(() => expect(shellOf.said()).toMatch(/over\r\n/))
    await eventually(() => expect(shellOf.child.exitCode).toBe(0))
  })

  test('exec -it hands on the exit code', async () => {
    await using ended = onTerminal('exec', '-it', 'talker', '--', 'sh', '-c', 'exit 9')
    await eventually(() => expect(ended.child.exitCode).toBe(9))
    expect(ended.said()).toContain('command terminated with exit code 9')
  })

  test('attach sees the output and hands the input to the running container', async () => {
    await using attached = start('attach', '-i', 'listener')
    attached.child.stdin?.write('hello\n')
    await eventually(() => expect(attached.said()).toContain('got hello'))
    await using reader = start('attach', 'talker')
    await eventually(() => expect(reader.said()).toMatch(/tick \d+\n/))
    expect(await bench().refused('attach', 'done')).toContain('cannot attach a container in a completed pod')
    expect(await bench().ok('logs', 'listener')).toContain('got hello')
  })

  test('cp brings files there and back', async () => {
    const { ok, directory, namespace } = bench()
    const there = join(directory, 'there')
    const back = join(directory, 'back')
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7) % 256))
    await writeFile(there, bytes)
    await ok('cp', there, 'talker:copied')
    await ok('cp', `${namespace}/talker:copied`, back)
    expect((await readFile(back)).equals(bytes)).toBe(true)
  })

  test('port-forward carries connections to a pod and to a service', async () => {
    const { ok } = bench()
    await ok('expose', 'pod', 'web', '--port=80', '--target-port=8080', '--selector=none=here').catch(() => undefined)
    await using forward = start('port-forward', 'pod/web', ':8080')
    const port = await eventually(() => {
      const found = /Forwarding from 127\.0\.0\.1:(\d+) -> 8080/.exec(forward.said())?.[1]
      if (found === undefined) throw new Error(forward.said())
      return found
    })
    const answers = await Promise.all(Array.from({ length: 5 }, () => fetchText(`http://127.0.0.1:${port}/`)))
    expect(answers).toEqual(Array.from({ length: 5 }, () => 'pod web'))
    expect(await fetchText(`http://127.0.0.1:${port}/`)).toBe('pod web')
  })

  test('port-forward to a port where nobody listens says so and goes on', async () => {
    await using forward = start('port-forward', 'pod/web', ':9')
    const port = await eventually(() => {
      const found = /Forwarding from 127\.0\.0\.1:(\d+) -> 9/.exec(forward.said())?.[1]
      if (found === undefined) throw new Error(forward.said())
      return found
    })
    await expect(fetchText(`http://127.0.0.1:${port}/`)).rejects.toThrow()
    await eventually(() => expect(forward.said()).toMatch(/error occurred forwarding|connection refused|lost connection to pod/))
  })
}

function watched(child: ChildProcess): Running {
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      said += chunk
    })
  }
  child.stdin?.on('error', () => undefined)
  const closed = once(child, 'close')
  return {
    child,
    said: () => said,
    async [Symbol.asyncDispose]() {
      child.stdin?.destroy()
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await closed
    },
  }
}
