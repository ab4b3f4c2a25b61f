import type { Registry, Schema, ServedResource } from '@continuo/core'
import { encodeProtobuf } from '@continuo/workload'

/** One request as it goes out. */
export interface WeirdRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
}

const names = ['a', 'b', 'web', 'default', 'kube-system']
const weirdText = [
  '',
  ' ',
  '.',
  '..',
  '../../etc',
  'a/b',
  'a\\b',
  '\0',
  '\u202e',
  '💣',
  '\ud800',
  'UPPER',
  '-',
  'x'.repeat(300),
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  'null',
  'true',
  '${jndi}',
  '%s%n',
  '{{.}}',
  '(a+)+$',
  '*',
  'a=b,c!=d',
  'a in (b',
  ',,,',
  '!',
  'metadata.name=a',
]
const weirdValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e21,
  2 ** 31,
  -(2 ** 53),
  '',
  [],
  {},
  [null],
  [[]],
  [{}],
  { a: null },
  { '': '' },
  { constructor: { prototype: {} } },
  { toString: 1 },
  'x'.repeat(70_000),
]
const weirdNumbers = ['1e999', '-1e999', '9007199254740993', '1.0', '-0', '1E-400', '00', '0x1', 'NaN', 'Infinity']
const methods = ['GET', 'GET', 'POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND']
const plainPaths = [
  '/',
  '/api',
  '/api/v1',
  '/apis',
  '/apis/apps',
  '/apis/apps/v1',
  '/version',
  '/healthz',
  '/livez',
  '/readyz/ping',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/openapi/v3/api/v1',
  '/openapi/v3/apis/apps/v1',
  '/logs',
  '/continuo',
  '/continuo/decisions',
  '/.well-known/openid-configuration',
  '/swagger.json',
  '/openid/v1/jwks',
  '/apis/fuzz.example.com',
  '/apis/fuzz.example.com/v1',
  '/apis/fuzz.example.com/v1/namespaces/default/as',
  '/apis/fuzz.example.com/v1/namespaces/default/as/a/exec',
  '/apis/fuzz.example.com/v1/namespaces/default/as/..%2f..%2fb?watch=1',
]
/** What connections are to be changed to. */
const upgrades = ['websocket', 'websocket', 'SPDY/3.1', 'h2c', 'WEBSOCKET, SPDY/3.1', 'x'.repeat(300)]
const socketProtocols = [
  '',
  'v5.channel.k8s.io',
  'v4.base64.channel.k8s.io, v5.channel.k8s.io',
  'SPDY/3.1+portforward.k8s.io',
  'base64url.bearer.authorization.k8s.io.eA, v5.channel.k8s.io',
  ',,',
]
const parameters: Readonly<Record<string, readonly string[]>> = {
  watch: ['1', 'true', '0', 'false', ''],
  timeoutSeconds: ['1', '0', '-1', '99999999999999999999', 'x'],
  resourceVersion: ['0', '1', '5', '99', '-1', 'x', '1e3', '18446744073709551616'],
  resourceVersionMatch: ['Exact', 'NotOlderThan', 'x', ''],
  sendInitialEvents: ['true', 'false', 'x'],
  allowWatchBookmarks: ['true', 'x'],
  limit: ['1', '0', '-1', 'x', '9007199254740993'],
  continue: [
    'x',
    '',
    Buffer.from('{"v":"continuo/1","rv":2,"start":"a"}').toString('base64url'),
    Buffer.from('{"v":"continuo/1","rv":-1,"start":"../"}').toString('base64url'),
    Buffer.from('null').toString('base64url'),
    Buffer.from('{"v":"continuo/1","rv":2,"start":"\\u0000"}').toString('base64url'),
  ],
  labelSelector: ['a=b', 'a in (b,c)', 'a in (', '!a', 'a notin ()', '=', 'x'.repeat(5_000), 'a=b,'.repeat(2_000)],
  fieldSelector: [
    'metadata.name=a',
    'metadata.namespace!=b',
    'spec.nodeName=',
    'status.phase=Running',
    'constructor=1',
    '__proto__=1',
    'a\\=b',
    '=',
    'metadata.name=a/b',
    'metadata.namespace=../x',
  ],
  dryRun: ['All', 'x', ''],
  fieldManager: ['me', '', 'x'.repeat(200), '\u0000', '__proto__'],
  fieldValidation: ['Strict', 'Warn', 'Ignore', 'x'],
  force: ['true', 'x'],
  pretty: ['1', 'x'],
  includeObject: ['None', 'Metadata', 'Object', 'x'],
  propagationPolicy: ['Orphan', 'Foreground', 'Background', 'x'],
  gracePeriodSeconds: ['0', '-1', '1', 'x'],
  orphanDependents: ['true', 'x'],
  timeout: ['1s', 'x'],
  container: ['a', '../x'],
  command: ['sh'],
  verbose: [''],
  exclude: ['x'],
}
const accepts = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  'text/html',
  '*/*',
  ';;;,,,=',
  'application/json;as=__proto__;v=constructor',
]
const contentTypes = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'text/plain',
  'multipart/form-data',
  ';',
  '__proto__',
]
const otherHeaders: readonly (readonly [string, string])[] = [
  ['content-encoding', 'gzip'],
  ['content-encoding', 'br'],
  ['accept-encoding', 'gzip;q=0'],
  ['impersonate-user', 'someone'],
  ['impersonate-group', 'system:masters'],
  ['impersonate-extra-%', 'x'],
  ['authorization', 'Bearer x'],
  ['authorization', 'Basic x'],
  ['if-none-match', '*'],
  ['user-agent', 'kubectl/v1.32'],
  ['user-agent', ''],
  ['user-agent', '/'],
  ['continuo-fence', 'x'],
  ['continuo-cause', 'x'],
  ['x-forwarded-for', '::1'],
  ['sec-websocket-protocol', 'v5.channel.k8s.io'],
]
const yamlBodies = [
  'a: &a [*a]',
  'a: &a {b: *a}',
  '- - - -',
  '!!js/function "x"',
  'apiVersion: v1\n---\nkind: x',
  '? {a: b}\n: c',
  '__proto__: {a: b}',
  'x: .inf',
  'x: 9007199254740993',
  '\t',
  '<<: {a: b}',
  `${'a: &a0 [x]\n'}${Array.from({ length: 30 }, (_, i) => `b${i}: &a${i + 1} [*a${i},*a${i}]`).join('\n')}`,
]

/** Makes requests from random numbers: many nearly right, some wholly wrong. */
export class WeirdRequests {
  readonly #next: () => number
  readonly #registry: Registry

  constructor(next: () => number, registry: Registry) {
    this.#next = next
    this.#registry = registry
  }

  request(): WeirdRequest {
    const served = this.#pick(this.#registry.served())
    const method = this.#pick(methods)
    const headers: Record<string, string> = {}
    if (this.#chance(0.3)) headers.accept = this.#pick(accepts)
    if (this.#chance(0.1)) {
      const [name, value] = this.#pick(otherHeaders)
      headers[name] = value
    }
    const hasBody = !['GET', 'HEAD', 'TRACE'].includes(method) && this.#chance(0.9)
    const type = this.#typeFor(method)
    if (hasBody && this.#chance(0.97)) headers['content-type'] = type
    return { method, path: this.#path(served, method), headers, body: hasBody ? this.#body(served, type) : undefined }
  }

  /** A request that wants its connection changed, over HTTP/1.1: watches, streams, proxies, and where there is nothing of the kind. */
  upgrade(): WeirdRequest {
    const served = this.#pick(this.#registry.served())
    const headers: Record<string, string> = {
      connection: this.#chance(0.95) ? 'Upgrade' : 'keep-alive, Upgrade',
      upgrade: this.#pick(upgrades),
      'sec-websocket-version': this.#chance(0.9) ? '13' : this.#pick(['', '8', 'x']),
      'sec-websocket-key': this.#chance(0.9) ? Buffer.alloc(16, this.#below(256)).toString('base64') : this.#pick(['', 'x', 'AA==']),
    }
    const protocol = this.#pick(socketProtocols)
    if (protocol !== '') headers['sec-websocket-protocol'] = protocol
    if (this.#chance(0.2)) headers['x-stream-protocol-version'] = protocol || 'v4.channel.k8s.io'
    if (this.#chance(0.1)) headers.accept = this.#pick(accepts)
    const path = this.#chance(0.2) ? this.#pick(plainPaths) : this.#resourcePath(served, 'GET')
    const query = this.#chance(0.6) ? `watch=1&timeoutSeconds=1&${this.#query()}` : this.#query()
    return { method: this.#chance(0.9) ? 'GET' : 'POST', path: path.includes('?') ? path : `${path}?${query}`, headers, body: undefined }
  }

  #typeFor(method: string): string {
    if (this.#chance(0.08)) return this.#pick(contentTypes)
    if (method === 'PATCH') return this.#pick(contentTypes.slice(3, 7))
    return this.#chance(0.85) ? 'application/json' : this.#pick(['application/yaml', 'application/vnd.kubernetes.protobuf'])
  }

  #path(served: ServedResource, method: string): string {
    let path = this.#chance(0.08) ? this.#pick(plainPaths) : this.#resourcePath(served, method)
    if (this.#chance(0.06)) path = this.#mangle(path)
    return this.#chance(0.5) ? path : `${path}?${this.#query()}`
  }

  #resourcePath({ gvr, definition, version }: ServedResource, method: string): string {
    const root = gvr.group === '' ? `/api/${gvr.version}` : `/apis/${gvr.group}/${gvr.version}`
    const scope = definition.namespaced === this.#chance(0.96) ? `/namespaces/${this.#pick(names.slice(3))}` : ''
    const name = this.#chance(method === 'POST' ? 0.2 : 0.7) ? `/${encodeURIComponent(this.#name().toWellFormed())}` : ''
    const subresource = this.#chance(0.2) ? `/${this.#pick([...(version.subresources ?? []).map((one) => one.name), 'x'])}` : ''
    const rest = this.#chance(0.02) ? `/${this.#pick(['a', '%2e%2e', 'proxy/..%2f'])}` : ''
    return `${root}${this.#chance(0.02) ? '/watch' : ''}${scope}/${gvr.resource}${name}${name === '' ? '' : subresource}${rest}`
  }

  #mangle(path: string): string {
    const at = Math.floor(this.#next() * (path.length + 1))
    const insert = this.#pick([
      '/',
      '//',
      '%',
      '%00',
      '%2f',
      '%2e%2e/',
      '../',
      '%ff',
      '%c0%af',
      ';a=b',
      '\\',
      '~',
      '%u0041',
      'x'.repeat(9_000),
    ])
    return this.#chance(0.3) ? path.slice(0, at) || '/' : `/${path.slice(1, Math.max(1, at))}${insert}${path.slice(Math.max(1, at))}`
  }

  #query(): string {
    const terms: string[] = []
    do {
      const name = this.#pick(Object.keys(parameters))
      const value = this.#chance(0.1) ? this.#text() : this.#pick(parameters[name] as readonly string[])
      terms.push(`${name}=${this.#chance(0.03) ? '%zz' : encodeURIComponent(value.toWellFormed())}`)
    } while (this.#chance(0.5))
    return terms.join('&')
  }

  #body(served: ServedResource, type: string): Buffer {
    if (this.#chance(0.02)) return Buffer.from(Array.from({ length: this.#below(200) }, () => this.#below(256)))
    const encoded = type.endsWith('protobuf') && this.#chance(0.8) ? protobufOf(this.#object(served, false)) : undefined
    if (encoded !== undefined) return this.#chance(0.6) ? encoded : this.#spoil(encoded)
    if (type.endsWith('protobuf'))
      return Buffer.concat([Buffer.from('k8s\0'), Buffer.from(Array.from({ length: this.#below(120) }, () => this.#below(256)))])
    if (type.includes('yaml') && this.#chance(0.3)) return Buffer.from(this.#pick(yamlBodies))
    const value = type === 'application/json-patch+json' ? this.#jsonPatch(served) : this.#object(served, type.includes('patch'))
    return Buffer.from(this.#maim(JSON.stringify(value) ?? 'null'))
  }

  /** Bytes that are nearly right: lengths that lie, fields of other types, a message that ends too soon. */
  #spoil(bytes: Buffer): Buffer {
    const spoilt = Buffer.from(bytes)
    for (let count = 1 + this.#below(4); count > 0; count--) spoilt[this.#below(spoilt.length)] = this.#below(256)
    return this.#chance(0.2) ? spoilt.subarray(0, this.#below(spoilt.length)) : spoilt
  }

  #maim(text: string): string {
    if (this.#chance(0.03)) return text.slice(0, this.#below(text.length))
    if (this.#chance(0.03)) return text.replace(/:\s*(-?\d+|null|"[^"]*")/, `:${this.#pick(weirdNumbers)}`)
    if (this.#chance(0.02)) return text.replace('{', `{"__proto__":{"x":1},`)
    if (this.#chance(0.02)) return text.replace('{', '{"metadata":{"name":"a"},')
    if (this.#chance(0.01)) return `${'['.repeat(2_000)}${text}`
    return text
  }

  #jsonPatch(served: ServedResource): unknown {
    if (this.#chance(0.05)) return this.#pick(weirdValues)
    return Array.from({ length: this.#below(6) }, () => ({
      op: this.#pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'x']),
      path: this.#pointer(served),
      from: this.#pointer(served),
      ...(this.#chance(0.9) ? { value: this.#chance(0.5) ? this.#pick(weirdValues) : this.#value(served.schema, 3) } : {}),
    }))
  }

  #pointer(served: ServedResource): unknown {
    if (this.#chance(0.05)) return this.#pick(weirdValues)
    const steps: string[] = []
    let schema: Schema | undefined = served.schema
    while (steps.length < 8 && this.#chance(0.75)) {
      const keys: string[] = Object.keys(schema?.properties ?? {})
      const step: string =
        schema?.items !== undefined ? this.#pick(['0', '-', '1', '00', '-1']) : keys.length > 0 ? this.#pick(keys) : this.#text()
      steps.push(step.replaceAll('~', '~0').replaceAll('/', '~1'))
      schema = schema?.items ?? schema?.properties?.[step]
    }
    return steps.map((step) => `/${step}`).join('')
  }

  #object({ schema, gvk, apiVersion, definition }: ServedResource, partial: boolean): unknown {
    if (this.#chance(0.03)) return this.#pick(weirdValues)
    const value = this.#value(schema, 7)
    const object: Record<string, unknown> = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
    if (this.#chance(0.95)) object.apiVersion = apiVersion
    if (this.#chance(0.95)) object.kind = gvk.kind
    if (partial && this.#chance(0.3)) return object
    const metadata: Record<string, unknown> = { name: this.#name() }
    if (this.#chance(0.1)) metadata.namespace = this.#text()
    if (this.#chance(0.1)) metadata.generateName = this.#text()
    if (this.#chance(0.1)) metadata.labels = this.#chance(0.5) ? { [this.#text()]: this.#text() } : this.#pick(weirdValues)
    if (this.#chance(0.05)) metadata.finalizers = this.#chance(0.5) ? [this.#text()] : this.#pick(weirdValues)
    if (this.#chance(0.05)) metadata.ownerReferences = [{ apiVersion, kind: gvk.kind, name: this.#name(), uid: this.#text() }]
    if (this.#chance(0.05))
      metadata.managedFields = [{ manager: 'x', operation: 'Apply', apiVersion, fieldsType: 'FieldsV1', fieldsV1: this.#pick(weirdValues) }]
    if (this.#chance(0.05)) metadata.resourceVersion = this.#text()
    if (this.#chance(0.05)) metadata.annotations = { 'kubectl.kubernetes.io/last-applied-configuration': this.#text() }
    if (this.#chance(0.03))
      metadata[this.#pick(['uid', 'creationTimestamp', 'deletionTimestamp', 'generation', 'selfLink'])] = this.#pick(weirdValues)
    object.metadata = this.#chance(0.03) ? this.#pick(weirdValues) : metadata
    if (partial && this.#chance(0.2))
      object[this.#pick(['spec', 'metadata', '$patch', '$retainKeys', '$setElementOrder/x'])] = this.#directive()
    return definition.kind === 'CustomResourceDefinition' && this.#chance(0.7) ? this.#definition(object) : object
  }

  #directive(): unknown {
    return this.#pick<unknown>([
      { $patch: 'delete' },
      { $patch: 'replace' },
      { $patch: 'x' },
      { $retainKeys: ['a'] },
      { $retainKeys: 1 },
      { '$deleteFromPrimitiveList/finalizers': ['a'] },
      { '$setElementOrder/containers': [{ name: 'a' }, null] },
      { containers: [{ $patch: 'delete' }, { name: 'a', $patch: 'delete' }, 'x'] },
      'delete',
    ])
  }

  #definition(object: Record<string, unknown>): unknown {
    const plural = this.#pick(['as', 'bs', 'webs'])
    const group = this.#pick(['fuzz.io', 'apps', 'x.y'])
    return {
      ...object,
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: this.#pick(['Namespaced', 'Cluster']),
        names: { plural, kind: this.#pick(['A', 'B', 'Deployment', 'toString']), shortNames: [this.#pick(['po', 'a', 'constructor'])] },
        versions: [
          {
            name: this.#pick(['v1', 'v1beta1', 'constructor']),
            served: this.#chance(0.9),
            storage: this.#chance(0.9),
            schema: { openAPIV3Schema: this.#wildSchema(4) },
            additionalPrinterColumns: [
              {
                name: 'X',
                type: this.#pick(['string', 'date', 'integer']),
                jsonPath: this.#pick(['.spec.a', '.a[', '..', '.metadata.labels', '.spec[?(@.a=="b")]']),
              },
            ],
            ...(this.#chance(0.5)
              ? { subresources: { status: {}, scale: { specReplicasPath: '.spec.a', statusReplicasPath: '.status.b' } } }
              : {}),
          },
        ],
      },
    }
  }

  #wildSchema(depth: number): unknown {
    const type = this.#pick(['object', 'string', 'integer', 'array', 'boolean', 'x'])
    const schema: Record<string, unknown> = { type: depth === 4 ? 'object' : type }
    if (depth > 0 && schema.type === 'object')
      schema.properties = { spec: this.#wildSchema(depth - 1), [this.#text()]: this.#wildSchema(depth - 1) }
    if (schema.type === 'array') schema.items = this.#wildSchema(Math.max(0, depth - 1))
    if (this.#chance(0.2)) schema.default = this.#pick(weirdValues)
    if (this.#chance(0.2)) schema.pattern = this.#text()
    if (this.#chance(0.1)) schema.enum = [this.#pick(weirdValues)]
    if (this.#chance(0.1)) schema['x-kubernetes-preserve-unknown-fields'] = true
    if (this.#chance(0.1)) schema.anyOf = [{ required: [this.#text()] }]
    if (this.#chance(0.1)) schema.multipleOf = this.#pick(weirdValues)
    if (this.#chance(0.05)) schema['x-kubernetes-list-type'] = 'map'
    return schema
  }

  #value(schema: Schema | undefined, depth: number): unknown {
    if (schema === undefined || this.#chance(0.03)) return this.#pick(weirdValues)
    if (schema.enum !== undefined && this.#chance(0.8)) return this.#pick(schema.enum)
    switch (schema.type) {
      case 'object': {
        const value: Record<string, unknown> = {}
        if (depth <= 0) return value
        for (const [key, property] of Object.entries(schema.properties ?? {}))
          if (schema.required?.includes(key) === true ? this.#chance(0.97) : this.#chance(depth > 5 ? 0.6 : 0.2))
            value[key] = this.#value(property, depth - 1)
        if (typeof schema.additionalProperties === 'object' && this.#chance(0.5))
          value[this.#text()] = this.#value(schema.additionalProperties, depth - 1)
        if (this.#chance(0.02)) value[this.#text()] = this.#pick(weirdValues)
        return value
      }
      case 'array':
        return Array.from({ length: this.#below(3) }, () => this.#value(schema.items, depth - 1))
      case 'integer':
        return this.#chance(0.8) ? this.#below(100) : this.#pick(weirdValues)
      case 'number':
        return this.#next() * 100
      case 'boolean':
        return this.#chance(0.5)
      default:
        return this.#chance(0.5) ? this.#pick(names) : this.#text()
    }
  }

  #name(): string {
    return this.#chance(0.85) ? this.#pick(names.slice(0, 3)) : this.#text()
  }

  #text(): string {
    return this.#chance(0.4) ? this.#pick(names) : this.#pick(weirdText)
  }

  #below(limit: number): number {
    return Math.floor(this.#next() * limit)
  }

  #chance(probability: number): boolean {
    return this.#next() < probability
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T
  }
}

/** The protobuf form of an object, where it has one: what is too weird for its message has none. */
function protobufOf(object: unknown): Buffer | undefined {
  try {
    return Buffer.from(encodeProtobuf(object as { apiVersion: string; kind: string }))
  } catch {
    return undefined
  }
}
