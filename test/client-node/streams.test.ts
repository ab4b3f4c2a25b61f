import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { Attach, Cp, Exec, Log, PortForward, type V1Container, type V1Status } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/cluster-process.ts'
import { eventually } from '../support/eventually.ts'
import { type StockCluster, startStockCluster } from './stock-cluster.ts'

const namespace = 'default'
const web =
  "require('node:http').createServer((q, s) => s.end('pod ' + process.env.HOSTNAME)).listen(8080, process.env.POD_IP, () => console.log('up'))"
const shell = (script: string): V1Container => ({ name: 'main', image: 'host', command: ['sh', '-c', script] })

/** A stream and all that was written to it. */
function collected(): { readonly stream: PassThrough; said(): string } {
  const stream = new PassThrough()
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { stream, said: () => Buffer.concat(chunks).toString('utf8') }
}

describe('@kubernetes/client-node, streams', () => {
  let cluster: StockCluster
  beforeAll(async () => {
    cluster = await startStockCluster()
    const pods: readonly [string, V1Container][] = [
      ['talker', shell("n=0; trap 'exit 0' TERM; while :; do n=$((n+1)); echo tick $n; sleep 0.1; done")],
      ['web', { name: 'main', image: 'host', command: ['node', '-e', web] }],
      ['listener', { ...shell('while read line; do echo "got $line"; done; sleep 300'), stdin: true }],
    ]
    for (const [name, container] of pods)
      await cluster.core.createNamespacedPod({
        namespace,
        body: {
          metadata: { name, labels: { app: name } },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [name === 'web' ? { ...container, readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 } } : container],
          },
        },
      })
    await cluster.core.createNamespacedPod({
      namespace,
      body: {
        metadata: { name: 'counter' },
        spec: { restartPolicy: 'Never', containers: [shell('for n in 1 2 3; do echo tick $n; sleep 2; done')] },
      },
    })
    await eventually(async () => {
      const { items } = await cluster.core.listNamespacedPod({ namespace })
      for (const pod of items) expect(pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.status).toBe('True')
    })
  })
  afterAll(async () => {
    await cluster?.stop()
    expect(cluster?.faults()).toEqual([])
  })

  const run = async (command: readonly string[], stdin: PassThrough | null = null, tty = false) => {
    const [out, err] = [collected(), collected()]
    const status = await new Promise<V1Status>((resolve, reject) => {
      new Exec(cluster.config).exec(namespace, 'talker', 'main', [...command], out.stream, err.stream, stdin, tty, resolve).catch(reject)
    })
    return { out: out.said(), err: err.said(), status }
  }

  it('exec has both streams, an input and the exit code', async () => {
    const stdin = new PassThrough()
    stdin.end('hello\n')
    const done = await run(['sh', '-c', 'read word; echo "$word"; echo oops >&2; exit 3'], stdin)
    expect(done).toMatchObject({ out: 'hello\n', err: 'oops\n', status: { status: 'Failure', reason: 'NonZeroExitCode' } })
    expect(done.status.details?.causes).toEqual([{ reason: 'ExitCode', message: '3' }])
    expect((await run(['true'])).status.status).toBe('Success')
  })

  it('exec on a terminal, and of a program that is not there', async () => {
    expect((await run(['sh', '-c', 'tty'], null, true)).out).toMatch(/^\/dev\/pts\/\d+\r\n$/)
    expect((await run(['/no/such/program'])).status.status).toBe('Failure')
  })

  it('exec carries a megabyte each way', async () => {
    const stdin = new PassThrough()
    stdin.end(Buffer.alloc(1_048_576, 'x'))
    expect((await run(['sh', '-c', 'head -c 1048576 | tr x y'], stdin)).out).toBe('y'.repeat(1_048_576))
  })

  it('attach reaches the input and the output of a running container', async () => {
    const [out, err, stdin] = [collected(), collected(), new PassThrough()]
    const socket = await new Attach(cluster.config).attach(namespace, 'listener', 'main', out.stream, err.stream, stdin, false)
    stdin.write('word\n')
    await eventually(() => expect(out.said()).toBe('got word\n'))
    socket.close()
  })

  it('port-forward carries a connection to a pod, and by a service', async () => {
    await cluster.core.createNamespacedService({
      namespace,
      body: { metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ port: 8080 }] } },
    })
    const forward = new PortForward(cluster.config)
    for (const open of [
      (out: PassThrough, err: PassThrough, input: PassThrough) => forward.portForward(namespace, 'web', [8080], out, err, input),
      (out: PassThrough, err: PassThrough, input: PassThrough) => forward.portForwardService(namespace, 'web', [8080], out, err, input),
    ]) {
      const [out, err, input] = [collected(), collected(), new PassThrough()]
      const socket = await open(out.stream, err.stream, input)
      input.write('GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n')
      await eventually(() => expect(out.said()).toContain('pod web'))
      if (typeof socket !== 'function') socket.close()
    }
  })

  it('logs are read, cut and followed', async () => {
    const log = new Log(cluster.config)
    const whole = collected()
    await log.log(namespace, 'talker', 'main', whole.stream, { tailLines: 1 })
    await eventually(() => expect(whole.said()).toMatch(/^tick \d+\n$/))
    const followed = collected()
    const end = once(followed.stream, 'end')
    await log.log(namespace, 'counter', 'main', followed.stream, { follow: true, timestamps: true })
    await end
    expect(followed.said().replace(/^\S+Z /gm, '')).toBe('tick 1\ntick 2\ntick 3\n')
    await expect(log.log(namespace, 'nobody', 'main', new PassThrough())).rejects.toMatchObject({ code: 404 })
    expect(await cluster.core.readNamespacedPodLog({ name: 'talker', namespace, limitBytes: 6 })).toBe('tick 1')
  })

  it('cp brings files in and out', async () => {
    const directory = await temporaryDirectory('cp')
    try {
      await mkdir(join(directory.path, 'in'))
      await writeFile(join(directory.path, 'in', 'note.txt'), 'by cp')
      const cp = new Cp(cluster.config)
      const { out: root } = await run(['sh', '-c', 'printf %s "$CONTINUO_ROOT"'])
      await cp.cpToPod(namespace, 'talker', 'main', join(directory.path, 'in'), root)
      await eventually(async () => expect((await run(['cat', `${root}/note.txt`])).out).toBe('by cp'))
      await cp.cpFromPod(namespace, 'talker', 'main', 'note.txt', directory.path, root)
      await eventually(async () => expect(await readFile(join(directory.path, 'note.txt'), 'utf8')).toBe('by cp'))
    } finally {
      await directory.remove()
    }
  })

  it('a stream that may not be is refused before it opens', async () => {
    const refused = new Exec(cluster.config).exec(namespace, 'nobody', 'main', ['true'], null, null, null, false)
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining('404') })
  })
})
