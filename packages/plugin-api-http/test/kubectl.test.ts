import { execFile } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApi, startApi } from './running-api.ts'

const onPath = (name: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find(existsSync)

/** kubectl of the machine, and the versions that lie beside it. */
const kubectl = onPath('kubectl')
const wanted = ['1.27', '1.32', '1.33']
const beside =
  kubectl === undefined
    ? []
    : wanted
        .map((version) => [version, join(dirname(realpathSync(kubectl)), `kubectl.${version}`)] as const)
        .filter(([, path]) => existsSync(path))
const versions: readonly (readonly [string, string])[] =
  beside.length > 0 ? beside : kubectl === undefined ? [] : [['of this machine', kubectl]]

const deployment = (replicas: number): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "example/web:1"}]}
`

const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.demo.io}
spec:
  group: demo.io
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns: [{name: Spec, type: string, jsonPath: .spec.cronSpec}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {cronSpec: {type: string, description: When it runs.}, replicas: {type: integer}}}
`

const crontab = (spec: string): string => `apiVersion: demo.io/v1
kind: CronTab
metadata: {name: hourly}
spec: {cronSpec: "${spec}"}
`

if (kubectl === undefined && process.env.CI === 'true') {
  it('needs kubectl', () => {
    expect.fail('kubectl is not on the PATH: install it, as `apt-get install kubectl` does from the repository pkgs.k8s.io')
  })
}

describe.skipIf(kubectl === undefined).each(versions)('kubectl %s', (_version, program) => {
  let api: RunningApi
  let home: string
  beforeAll(async () => {
    api = await startApi()
    home = await mkdtemp(join(tmpdir(), 'continuo-kubectl-'))
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })

  const run = (args: readonly string[], input?: string): Promise<{ code: number; out: string; error: string }> =>
    new Promise((resolve) => {
      const child = execFile(
        program,
        args,
        { env: { PATH: process.env.PATH, HOME: home, KUBECONFIG: api.kubeconfig, KUBECTL_EXTERNAL_DIFF: 'diff -u' }, timeout: 30_000 },
        (error, out, text) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, error: text }),
      )
      if (input !== undefined) child.stdin?.end(input)
    })

  const ok = async (args: string, input?: string): Promise<string> => {
    const result = await run(args.split(' '), input)
    expect(`${args}: ${result.error}`).toMatch(/^[^:]*(:[^:]*)*: (Warning: .*\n|WARNING: .*\n)*$/)
    expect([args, result.code]).toEqual([args, 0])
    return result.out
  }

  const file = async (name: string, text: string): Promise<string> => {
    const path = join(home, name)
    await writeFile(path, text)
    return path
  }

  it('lists what is served', async () => {
    expect(await ok('api-resources --api-group=apps -o name')).toBe(
      'controllerrevisions.apps\ndaemonsets.apps\ndeployments.apps\nreplicasets.apps\nstatefulsets.apps\n',
    )
    expect(await ok('api-versions')).toContain('apps/v1\n')
    expect(await ok('get ns -o name')).toContain('namespace/default\n')
    expect(await ok('cluster-info')).toContain(api.endpoint.url)
  })

  it('creates, reads, labels and deletes', async () => {
    expect(await ok('create configmap a --from-literal=x=y')).toBe('configmap/a created\n')
    expect(await ok('get cm a -o jsonpath={.data.x}')).toBe('y')
    expect(await ok('get cm a --no-headers')).toMatch(/^a +1 +\d+s\n$/)
    expect(await ok('label cm a k=v')).toBe('configmap/a labeled\n')
    expect(await ok('get cm -l k=v -o name')).toBe('configmap/a\n')
    expect(await ok('get cm --field-selector metadata.name=a -A -o name')).toBe('configmap/a\n')
    expect(await ok('annotate cm a n=1')).toMatch(/^configmap\/a annotated?\n$/)
    expect(await ok('delete cm a')).toMatch(/^configmap "a" deleted/)
    const gone = await run(['get', 'cm', 'a'])
    expect([gone.code, gone.error]).toEqual([1, 'Error from server (NotFound): configmaps "a" not found\n'])
  })

  it('applies on either side, diffs, patches and scales', async () => {
    const path = await file('web.yaml', deployment(2))
    expect(await ok(`apply -f ${path}`)).toBe('deployment.apps/web created\n')
    expect(await ok(`apply -f ${path}`)).toBe('deployment.apps/web unchanged\n')
    await file('web.yaml', deployment(3))
    const diff = await run(['diff', '-f', path])
    expect(diff.code).toBe(1)
    expect(diff.out).toContain('+  replicas: 3')
    expect(await ok(`apply -f ${path}`)).toBe('deployment.apps/web configured\n')
    expect(await ok(`apply --server-side --force-conflicts -f ${path}`)).toBe('deployment.apps/web serverside-applied\n')
    expect(await ok('scale deployment web --replicas=5')).toBe('deployment.apps/web scaled\n')
    expect(await ok('set image deployment/web c=example/web:2')).toBe('deployment.apps/web image updated\n')
    expect(
      (await run(['patch', 'deployment', 'web', '--type=json', '-p', '[{"op":"replace","path":"/spec/replicas","value":1}]'])).out,
    ).toBe('deployment.apps/web patched\n')
    expect(await ok('get deployment web -o jsonpath={.spec.replicas}/{.spec.template.spec.containers[0].image}')).toBe('1/example/web:2')
    expect(await ok('rollout restart deployment/web')).toBe('deployment.apps/web restarted\n')
    expect(await ok('wait --for=jsonpath={.spec.replicas}=1 deployment/web --timeout=10s')).toBe('deployment.apps/web condition met\n')
    expect(await ok('describe deployment web')).toMatch(/Image: +example\/web:2/)
    await ok('delete deployment web')
  })

  it('creates by generators, whose bodies are protobuf', async () => {
    expect(await ok('create deployment gen --image=example/gen')).toBe('deployment.apps/gen created\n')
    expect(await ok('expose deployment gen --port=80')).toBe('service/gen exposed\n')
    expect(await ok('create secret generic s --from-literal=a=b')).toBe('secret/s created\n')
    expect(await ok('run p --image=example/p')).toBe('pod/p created\n')
    expect(await ok('get deployment,service,pod,secret -o name')).toBe('deployment.apps/gen\nservice/gen\npod/p\nsecret/s\n')
    await ok('delete deployment/gen service/gen secret/s pod/p --force --grace-period=0')
  })

  it('explains kinds', async () => {
    expect(await ok('explain configmap.data')).toMatch(/FIELD: +data /)
    expect(await ok('explain pod.spec.containers.livenessProbe')).toContain('initialDelaySeconds')
    expect(await ok('explain deployment --output=plaintext-openapiv2')).toMatch(/KIND: +Deployment/)
  })

  it('refuses unknown fields with their names', async () => {
    const result = await run(
      ['create', '-f', '-'],
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"bad"},"data":{"a":"b"},"foo":1}',
    )
    expect(result.code).toBe(1)
    expect(result.error).toContain('unknown field "foo"')
  })

  it('watches', async () => {
    await ok('create configmap seen --from-literal=a=1')
    const watching = execFile(program, ['get', 'cm', '-w', '-o', 'name'], { env: { HOME: home, KUBECONFIG: api.kubeconfig } })
    let seen = ''
    watching.stdout?.on('data', (text) => {
      seen += text
    })
    await expect
      .poll(async () => Number(/^apiserver_longrunning_requests (\d+)/m.exec((await api.call('/metrics')).text)?.[1] ?? 0), {
        timeout: 5_000,
      })
      .toBeGreaterThan(0)
    await ok('create configmap later --from-literal=a=1')
    await expect.poll(() => seen, { timeout: 5_000 }).toBe('configmap/seen\nconfigmap/later\n')
    watching.kill()
    await ok('delete cm seen later')
  })

  it('works with kinds that were defined a moment ago', async () => {
    await ok(`apply -f ${await file('crd.yaml', definition)}`)
    await ok('wait --for=condition=Established crd/crontabs.demo.io --timeout=10s')
    const path = await file('crontab.yaml', crontab('0 * * * *'))
    await ok(`apply -f ${path}`)
    await file('crontab.yaml', crontab('5 * * * *'))
    expect(await ok(`apply -f ${path}`)).toBe('crontab.demo.io/hourly configured\n')
    expect(await ok('get ct --no-headers')).toMatch(/^hourly +5 \* \* \* \*\n$/)
    expect(await ok('explain crontab.spec.cronSpec')).toContain('When it runs.')
    expect(await ok(`delete -f ${path}`)).toMatch(/^crontab.demo.io "hourly" deleted/)
    await ok('delete crd crontabs.demo.io')
  })
})
