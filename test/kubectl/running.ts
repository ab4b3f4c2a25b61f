import { get } from 'node:http'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Bench } from './cluster.ts'
import { deployment } from './objects.ts'

const server = "require('node:http').createServer((q, s) => s.end('served by ' + process.env.HOSTNAME)).listen(8080, process.env.POD_IP)"

export const fetchText = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: 2000 }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    })
    request.on('timeout', () => request.destroy(new Error('timed out')))
    request.on('error', reject)
  })

/** `run` and `expose`: from a command line to a process that serves. */
export function runningCases(bench: () => Bench): void {
  test('run makes a pod, with its labels, environment, port and command', async () => {
    const { ok, stored } = bench()
    expect(
      await ok(
        'run',
        'one',
        '--image=host',
        '--labels=a=b',
        '--env=X=y',
        '--port=80',
        '--restart=OnFailure',
        '--command',
        '--',
        'sh',
        '-c',
        'echo $X; sleep 300',
      ),
    ).toBe('pod/one created\n')
    const { metadata, spec } = await stored('pods', 'one')
    expect(metadata.labels).toEqual({ a: 'b' })
    expect(spec).toMatchObject({
      restartPolicy: 'OnFailure',
      containers: [
        {
          name: 'one',
          image: 'host',
          env: [{ name: 'X', value: 'y' }],
          ports: [{ containerPort: 80 }],
          command: ['sh', '-c', 'echo $X; sleep 300'],
        },
      ],
    })
    await eventually(async () => expect(await ok('logs', 'one')).toBe('y\n'))
    await ok('delete', 'pod', 'one', '--now')
  })

  test('run -i --rm hands the input on, prints the output, and removes the pod', async () => {
    const { run, stored } = bench()
    const result = await run(
      ['run', 'cat', '--image=host', '-i', '--rm', '--quiet', '--restart=Never', '--command', '--', 'sh', '-c', 'cat; echo end'],
      { input: 'piped\n' },
    )
    expect(result.stderr).not.toMatch(/rror/)
    expect([result.code, result.stdout]).toEqual([0, expect.stringMatching(/piped\n(end\n)?/)])
    expect(await stored('pods', 'cat')).toBeUndefined()
  })

  test('run gives back the exit code of the container', async () => {
    const { run } = bench()
    const result = await run(
      ['run', 'fails', '--image=host', '-i', '--rm', '--quiet', '--restart=Never', '--command', '--', 'sh', '-c', 'read x; exit 5'],
      { input: 'go\n' },
    )
    expect(result.code).toBe(5)
  })

  test('expose makes a service that answers', async () => {
    const { feed, ok, stored } = bench()
    const served = {
      name: 'main',
      image: 'host',
      command: ['node', '-e', server],
      readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
    }
    await feed(
      deployment('served', {
        spec: { template: { metadata: { labels: { app: 'served' } }, spec: { terminationGracePeriodSeconds: 1, containers: [served] } } },
      }),
      'create',
      '-f',
      '-',
    )
    expect(await ok('expose', 'deployment', 'served', '--port=18080', '--target-port=8080', '--name=front')).toBe('service/front exposed\n')
    const { spec } = await stored('services', 'front')
    expect(spec).toMatchObject({ selector: { app: 'served' }, ports: [{ port: 18080, targetPort: 8080, protocol: 'TCP' }] })
    await eventually(async () => expect(await fetchText(`http://${spec.clusterIP}:18080/`)).toMatch(/^served by served-/))
    expect(await bench().refused('expose', 'configmap', 'none', '--port=80')).toMatch(/cannot expose a .*ConfigMap|not found/i)
    expect(await bench().refused('expose', 'deployment', 'served', '--port=80', '--name=front')).toContain(
      'services "front" already exists',
    )
  })
}
