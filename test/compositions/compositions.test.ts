import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory, spawnContinuo } from '../support/continuo.ts'
import { eventually } from '../support/eventually.ts'
import { kubectlMissing, runKubectl } from '../support/kubectl.ts'

const example = (path: string): string => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url))
const config = (name: string): string => example(`compositions/${name}.yaml`)
const website = {
  apiVersion: 'example.com/v1',
  kind: 'Website',
  metadata: { name: 'hello', finalizers: ['example.com/hold'] },
  spec: { text: 'one' },
}

/** A composition that runs, and kubectl on it. */
interface Composed {
  readonly process: ClusterProcess
  ok(args: string, input?: object): Promise<string>
  refused(args: string, input?: object): Promise<string>
}

/** Starts a composition for the tests of a `describe`. */
function composed(name: string): () => Composed {
  let running: Composed
  let directory: Awaited<ReturnType<typeof dataDirectory>>
  beforeAll(async () => {
    directory = await dataDirectory(`composition-${name}`)
    const process = await startProcess({ dataDir: join(directory.path, 'data'), config: config(name) })
    const run = (args: string, input?: object) =>
      runKubectl(process.kubeconfig, args.split(' '), {
        input: input === undefined ? '' : JSON.stringify(input),
        env: { HOME: directory.path },
      })
    running = {
      process,
      async ok(args, input) {
        const { code, stdout, stderr } = await run(args, input)
        if (code !== 0) throw new Error(`kubectl ${args}: ${stderr}`)
        return stdout
      },
      async refused(args, input) {
        const { code, stdout, stderr } = await run(args, input)
        if (code === 0) throw new Error(`kubectl ${args} was not refused: ${stdout}`)
        return stderr
      },
    }
  })
  afterAll(async () => {
    expect(await running?.process.interrupt()).toBe(0)
    await directory?.remove()
    expect(running.process.output()).not.toMatch(/^\{"level":[56]0/m)
  })
  return () => running
}

/** What every composition with the API has, whatever is left out. */
function serves(cluster: () => Composed): void {
  it('custom resources: discovered, explained, validated, watched, patched, deleted', async () => {
    const { ok, refused } = cluster()
    await ok('create namespace work')
    await ok(`apply -f ${example('operator/manifests/crd.yaml')}`)
    await ok('wait --for=condition=Established crd/websites.example.com --timeout=10s')
    expect(await ok('api-resources --api-group=example.com')).toMatch(/^websites +site +example.com\/v1 +true +Website$/m)
    for (const output of ['plaintext', 'plaintext-openapiv2'])
      expect(await ok(`explain site.spec.text --output=${output}`)).toContain('What every page says.')
    expect(await refused('apply -n work -f -', { ...website, spec: { text: 7 } })).toMatch(/spec\.text: .*string/)
    expect(await ok('apply -n work -f -', website)).toBe('website.example.com/hello created\n')
    expect(
      await ok('apply -n work --server-side --field-manager=other -f -', { ...website, spec: { text: 'two' } }).catch((error) =>
        String(error),
      ),
    ).toContain('conflict')
    const watched = ok('get site -n work --watch --output-watch-events --request-timeout=3s -o jsonpath={.type}:{.object.spec.text}{"\\n"}')
    await eventually(async () => expect(await ok('patch site hello -n work --type=merge -p {"spec":{"replicas":2}}')).toContain('patched'))
    expect(await watched).toContain('ADDED:one')
    expect(await ok('scale site/hello -n work --replicas=3')).toContain('scaled')
    expect(await ok('get site hello -n work -o jsonpath={.spec.replicas}/{.metadata.generation}')).toMatch(/^3\/\d+$/)
  })

  it('deletion: finalizers are waited for, dependents collected, namespaces emptied, definitions gone with their objects', async () => {
    const { ok } = cluster()
    const uid = await ok('get site hello -n work -o jsonpath={.metadata.uid}')
    const ownerReferences = [{ apiVersion: 'example.com/v1', kind: 'Website', name: 'hello', uid }]
    await ok('create -n work -f -', { ...website, metadata: { name: 'owned', ownerReferences } })
    await ok('delete namespace work --wait=false')
    await eventually(async () =>
      expect(await ok('get ns work -o jsonpath={.status.conditions[?(@.type=="NamespaceFinalizersRemaining")].status}')).toBe('True'),
    )
    await eventually(async () => expect(await ok('get site -n work -o name')).toBe('website.example.com/hello\n'))
    await ok('patch site hello -n work --type=merge -p {"metadata":{"finalizers":null}}')
    await ok('wait --for=delete ns/work --timeout=20s')
    await ok('delete crd websites.example.com')
    expect(await ok('api-resources --api-group=example.com -o name')).toBe('')
  })

  it('health, version, both kinds of OpenAPI, discovery and metrics', async () => {
    const { ok } = cluster()
    expect(await ok('get --raw /readyz')).toBe('ok')
    expect(JSON.parse(await ok('version -o json')).serverVersion.major).toBe('1')
    expect(JSON.parse(await ok('get --raw /openapi/v2')).swagger).toBe('2.0')
    const paths = Object.values(JSON.parse(await ok('get --raw /openapi/v3')).paths as Record<string, { serverRelativeURL: string }>)
    for (const { serverRelativeURL } of paths) expect(JSON.parse(await ok(`get --raw ${serverRelativeURL}`)).openapi).toBe('3.0.0')
    for (const group of (await ok('api-versions')).trim().split('\n'))
      await ok(`get --raw ${group === 'v1' ? '/api/v1' : `/apis/${group}`}`)
    expect(await ok('get --raw /metrics')).toContain('apiserver_request')
  })
}

describe.skipIf(kubectlMissing !== undefined)(`API only ${kubectlMissing ?? ''}`.trim(), () => {
  const cluster = composed('api-only')
  serves(cluster)

  it('keeps every kind, and nothing runs', async () => {
    const { ok } = cluster()
    await ok('create deployment web --image=host')
    expect(await ok('get deployment web -o jsonpath={.spec.strategy.type}{.status.observedGeneration}')).toBe('RollingUpdate')
    expect(await ok('get nodes,pods -o name')).toBe('')
    expect(await ok('delete deployment web')).toContain('deleted')
  })

  it('decides by roles', async () => {
    const { ok, refused } = cluster()
    await ok('create role reader --verb=get,list --resource=secrets')
    await ok('create rolebinding reader --role=reader --serviceaccount=default:default')
    expect(await ok('get secrets --as=system:serviceaccount:default:default')).toBe('')
    expect(await refused('get configmaps --as=system:serviceaccount:default:default')).toContain('cannot list resource "configmaps"')
    expect(await ok('create token default')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\s*$/)
  })
})

describe.skipIf(kubectlMissing !== undefined)(`no authorisation, loopback ${kubectlMissing ?? ''}`.trim(), () => {
  const cluster = composed('loopback')
  serves(cluster)

  const status = (server: string, headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) =>
      request(`${server}/api/v1/secrets`, { headers }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end(),
    )

  it('needs no credentials of this machine, and gives a web page of elsewhere nothing', async () => {
    const kubeconfig = await readFile(cluster().process.kubeconfig, 'utf8')
    expect(kubeconfig).not.toMatch(/certificate|token/)
    const server = /server: "(http:[^"]+)"/.exec(kubeconfig)?.[1] ?? ''
    expect(await status(server, {})).toBe(200)
    expect(await status(server, { host: 'rebound.example.com' })).toBe(403)
    expect(await status(server, { origin: 'https://example.com' })).toBe(403)
  })

  it('refuses to listen where others reach it', async () => {
    const directory = await dataDirectory('composition-public')
    onTestFinished(() => directory.remove())
    const args = ['up', '--config', config('loopback'), '--data-dir', directory.path, '--listen', '0.0.0.0:0']
    const { code, output } = await spawnContinuo(args).ended
    expect([code, output]).toEqual([1, expect.stringMatching(/plain HTTP on 0\.0\.0\.0[\s\S]*remove `tls: false`/)])
  })
})

describe.skipIf(kubectlMissing !== undefined)(`custom kinds only ${kubectlMissing ?? ''}`.trim(), () => {
  const cluster = composed('custom-kinds')
  serves(cluster)

  it('knows nothing of containers and roles', async () => {
    const { ok, refused } = cluster()
    expect((await ok('api-resources -o name')).trim().split('\n').sort()).toEqual([
      'customresourcedefinitions.apiextensions.k8s.io',
      'events',
      'events.events.k8s.io',
      'leases.coordination.k8s.io',
      'namespaces',
    ])
    expect(await refused('get pods')).toContain('the server doesn\'t have a resource type "pods"')
    expect(await refused('auth can-i create events')).toContain('NotFound')
    expect(await ok('events -A')).toBe('')
  })
})
