import { beforeAll, expect, test } from 'vitest'
import type { Bench } from './cluster.ts'
import { configMap, cronTab, deployment, pod } from './objects.ts'

/** What a user gets who is wrong: reason, field path and sentence as Kubernetes gives them, and nothing stored. */
export function mistakeCases(bench: () => Bench): void {
  beforeAll(async () => {
    await bench().feed(
      [
        configMap('there', { a: '1' }),
        deployment('web', { replicas: 0 }),
        cronTab('tab'),
        pod('held', 'true', { spec: { nodeSelector: { none: 'here' } } }),
      ],
      'create',
      '-f',
      '-',
    )
  })

  test('an unknown kind', async () => {
    const { refused, refusedFeed } = bench()
    expect(await refused('get', 'gizmos')).toBe('error: the server doesn\'t have a resource type "gizmos"\n')
    expect(await refusedFeed({ apiVersion: 'v1', kind: 'Gizmo', metadata: { name: 'a' } }, 'create', '-f', '-')).toContain(
      'no matches for kind "Gizmo" in version "v1"',
    )
    expect(await refusedFeed({ apiVersion: 'none.example.com/v1', kind: 'Gizmo', metadata: { name: 'a' } }, 'apply', '-f', '-')).toContain(
      'no matches for kind "Gizmo" in version "none.example.com/v1"',
    )
  })

  test('an unknown field is refused, or warned about, or ignored, as the client asks', async () => {
    const { refusedFeed, run, feed, stored } = bench()
    const wrong = { ...configMap('fields'), dat: {} }
    expect(await refusedFeed(wrong, 'create', '-f', '-')).toContain(
      'Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dat"',
    )
    const nested = await refusedFeed(
      deployment('deep', {
        spec: {
          replica: 1,
          template: { metadata: { labels: { app: 'deep' } }, spec: { containers: [{ name: 'a', image: 'host', imag: 'x' }] } },
        },
      }),
      'create',
      '-f',
      '-',
    )
    expect(nested).toMatch(
      /strict decoding error: unknown field "spec\.replica", unknown field "spec\.template\.spec\.containers\[0\]\.imag"/,
    )
    expect(await refusedFeed(cronTab('deep', { foo: 1 }), 'create', '-f', '-')).toContain('strict decoding error: unknown field "spec.foo"')
    expect(await stored('configmaps', 'fields')).toBeUndefined()
    const warned = await run(['create', '--validate=warn', '-f', '-'], { input: JSON.stringify(wrong) })
    expect([warned.code, warned.stderr]).toEqual([0, 'Warning: unknown field "dat"\n'])
    expect(await stored('configmaps', 'fields')).not.toHaveProperty('dat')
    expect(await feed(cronTab('ignored', { foo: 1 }), 'create', '--validate=ignore', '-f', '-')).toContain('created')
    expect((await stored('crontabs.stable.example.com', 'ignored')).spec).not.toHaveProperty('foo')
  })

  test('a field that is there twice', async () => {
    const { refusedFeed } = bench()
    // kubectl turns YAML into JSON by itself, where the second field wins; JSON goes through as it is.
    expect(
      await refusedFeed(
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}',
        'create',
        '-f',
        '-',
      ).catch((error: Error) => error.message),
    ).toMatch(/duplicate field|configmap\/twice created/)
  })

  test('a value of the wrong type', async () => {
    const { refusedFeed } = bench()
    expect(await refusedFeed({ ...configMap('typed'), data: { a: 1 } }, 'create', '-f', '-')).toMatch(
      /ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap\.data(\.a)? of type string/,
    )
    expect(await refusedFeed(deployment('typed', { spec: { replicas: 'two' } }), 'create', '-f', '-')).toContain(
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    )
    expect(await refusedFeed(cronTab('typed', { replicas: 'two' }), 'create', '-f', '-')).toContain(
      'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"',
    )
  })

  test('an invalid name, label or namespace', async () => {
    const { refusedFeed, refused, run } = bench()
    expect(await refusedFeed(configMap('Bad_Name'), 'create', '-f', '-')).toContain(
      'The ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of',
    )
    expect(await refusedFeed(configMap('labels', {}, { 'a b': 'c' }), 'create', '-f', '-')).toContain(
      'metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters',
    )
    expect(await refused('label', 'cm', 'there', 'x=!!')).toContain('invalid label value')
    expect(await refused('create', 'ns', 'UPPER')).toMatch(
      /metadata.name: Invalid value: "UPPER": a lowercase RFC 1123 label must consist of/,
    )
    const missing = await run(['create', '--namespace', 'nowhere', '-f', '-'], { input: JSON.stringify(configMap('there')) })
    expect(missing.stderr).toBe('Error from server (NotFound): error when creating "STDIN": namespaces "nowhere" not found\n')
    // Newer clients look whether the namespace is there.
    expect((await run(['get', 'cm', 'there', '--namespace', 'nowhere'])).stderr).toMatch(
      /^Error from server \(NotFound\): (configmaps "there"|namespaces "nowhere") not found\n$/,
    )
  })

  test('a missing field', async () => {
    const { refusedFeed } = bench()
    const many = await refusedFeed(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'many' },
        spec: { replicas: -1, selector: { matchLabels: { a: 'b' } }, template: { spec: { containers: [] } } },
      },
      'create',
      '-f',
      '-',
    )
    expect(many).toContain('The Deployment "many" is invalid: \n')
    expect(many).toContain('* spec.replicas: Invalid value: -1: must be greater than or equal to 0\n')
    expect(many).toMatch(/\* spec\.template\.metadata\.labels: Invalid value: .*: `selector` does not match template `labels`\n/)
    expect(many).toContain('* spec.template.spec.containers: Required value\n')
    expect(
      await refusedFeed(
        { apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name: 'none' }, spec: {} },
        'create',
        '-f',
        '-',
      ),
    ).toContain('The CronTab "none" is invalid: spec.cronSpec: Required value')
    expect(await refusedFeed({ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }, 'create', '-f', '-')).toMatch(
      /resource name may not be empty|name or generateName is required/,
    )
  })

  test('a field that may not change', async () => {
    const { refused, feed, stored } = bench()
    expect(
      await refused(
        'patch',
        'deploy',
        'web',
        '--type=merge',
        '-p',
        '{"spec":{"selector":{"matchLabels":{"b":"c"}},"template":{"metadata":{"labels":{"b":"c"}}}}}',
      ),
    ).toMatch(/^The Deployment "web" is invalid: spec\.selector: Invalid value: .*: field is immutable\n$/)
    expect(await refused('patch', 'pod', 'held', '--type=merge', '-p', '{"spec":{"restartPolicy":"Always"}}')).toContain(
      'spec: Forbidden: pod updates may not change fields other than',
    )
    await feed({ ...configMap('sealed', { a: '1' }), immutable: true }, 'create', '-f', '-')
    expect(await refused('patch', 'cm', 'sealed', '--type=merge', '-p', '{"data":{"a":"2"}}')).toBe(
      'The ConfigMap "sealed" is invalid: data: Forbidden: field is immutable when `immutable` is set\n',
    )
    expect((await stored('configmaps', 'sealed')).data).toEqual({ a: '1' })
    expect(
      await refused('patch', 'svc', 'kubernetes', '--namespace', 'default', '--type=merge', '-p', '{"spec":{"clusterIP":"127.96.200.1"}}'),
    ).toMatch(/spec\.clusterIPs?(\[0\])?: Invalid value: .*(field is immutable|may not change once set)|services "kubernetes" not found/)
  })

  test('a selector that does not parse or names a field that there is not', async () => {
    const { refused } = bench()
    expect(await refused('get', 'pods', '-l', 'app in (web')).toContain("unable to parse requirement: found '', expected: ',' or ')'")
    expect(await refused('get', 'pods', '--field-selector', 'spec.nothing=1')).toBe(
      'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", field selector "spec.nothing=1": field label not supported: spec.nothing\n',
    )
    expect(await refused('get', 'ct', '--field-selector', 'spec.image=1')).toContain('field label not supported: spec.image\n')
  })

  test('a patch that the kind does not take', async () => {
    const { refused, run } = bench()
    expect(await refused('patch', 'ct', 'tab', '-p', '{"spec":{"image":"x"}}')).toContain(
      'application/strategic-merge-patch+json is not supported by stable.example.com/v1, Kind=CronTab: the body of the request was in an unknown format',
    )
    expect(await refused('patch', 'ct', 'tab', '--type=merge', '-p', '{"spec":{"cronSpec":"bad"}}')).toContain(
      'The CronTab "tab" is invalid: spec.cronSpec: Invalid value: "bad": spec.cronSpec in body should match \'^(\\S+ ){4}\\S+$\'',
    )
    expect(await refused('patch', 'cm', 'there', '--type=merge', '-p', '{"metadata":{"resourceVersion":"1"}}')).toContain(
      'Error from server (Conflict): Operation cannot be fulfilled on configmaps "there": the object has been modified',
    )
    const unknown = await run(['patch', 'ct', 'tab', '--type=merge', '-p', '{"spec":{"foo":1}}'])
    expect([unknown.code, unknown.stderr]).toEqual([0, 'Warning: unknown field "spec.foo"\n'])
  })
}
