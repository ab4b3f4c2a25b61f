// What validating one custom resource costs: by its schema alone, and with five rules in CEL; and the same create in a control plane.
//   node --conditions=@continuo/source bench/schema-rules.bench.ts [validations per round, default 20000] [rounds, default 7]

import {
  type AnyPlugin,
  CustomResourceDefinition,
  createHost,
  memoryStore,
  ObjectClientCap,
  type Schema,
  type UnstructuredObject,
  type ValidationRule,
  validate,
} from '../packages/core/src/index.ts'
import { schemaRulesCel } from '../packages/plugin-schema-rules-cel/src/index.ts'
import { compileRules } from '../packages/plugin-schema-rules-cel/src/rule-set.ts'
import { header, median, range, ratios, row } from './support/figures.ts'

const count = Number(process.argv[2] ?? 20_000)
const rounds = Number(process.argv[3] ?? 7)

const rules: readonly ValidationRule[] = [
  { rule: 'self.minReplicas <= self.replicas && self.replicas <= self.maxReplicas' },
  { rule: '!has(self.className) || self.className.matches("^[a-z][a-z0-9-]*$")' },
  { rule: 'self.ports.all(p, p.port > 0 && p.port < 65536)' },
  { rule: 'self.ports.exists_one(p, p.name == "http")' },
  { rule: 'self.selector.size() > 0 && self.selector.all(k, self.selector[k] != "")' },
]

const schemaOf = (given: readonly ValidationRule[]): Schema => ({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['replicas', 'selector'],
      ...(given.length === 0 ? {} : { 'x-kubernetes-validations': given }),
      properties: {
        replicas: { type: 'integer', format: 'int32', minimum: 0 },
        minReplicas: { type: 'integer' },
        maxReplicas: { type: 'integer' },
        className: { type: 'string', maxLength: 63, pattern: '^[a-z]' },
        selector: { type: 'object', maxProperties: 16, additionalProperties: { type: 'string', maxLength: 63 } },
        ports: {
          type: 'array',
          maxItems: 16,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string', maxLength: 15 },
              port: { type: 'integer' },
              protocol: { type: 'string', enum: ['TCP', 'UDP'] },
            },
          },
        },
      },
    },
  },
})

const gadget = (name: string): UnstructuredObject => ({
  apiVersion: 'bench.example.io/v1',
  kind: 'Gadget',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas: 3,
    minReplicas: 1,
    maxReplicas: 5,
    className: 'standard',
    selector: { app: 'web', tier: 'front' },
    ports: [
      { name: 'http', port: 80, protocol: 'TCP' },
      { name: 'https', port: 443, protocol: 'TCP' },
      { name: 'metrics', port: 9090, protocol: 'TCP' },
    ],
  },
})

/** Microseconds of CPU that one run of `work` takes. */
async function cost(times: number, work: (i: number) => unknown): Promise<number> {
  const before = process.cpuUsage()
  for (let i = 0; i < times; i++) await work(i)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / times
}

async function controlPlane(given: readonly ValidationRule[]) {
  const plugins: Readonly<Record<string, AnyPlugin>> = { store: memoryStore, rules: schemaRulesCel }
  const host = createHost({
    name: 'bench',
    role: 'control-plane',
    plugins: Object.entries(plugins).map(([slot, plugin]) => ({ slot, plugin })),
  })
  await host.start()
  const client = host.use(ObjectClientCap)
  await client.for(CustomResourceDefinition).create({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'gadgets.bench.example.io' },
    spec: {
      group: 'bench.example.io',
      names: { plural: 'gadgets', kind: 'Gadget' },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schemaOf(given) } }],
    },
  })
  for (;;) {
    try {
      return { host, gadgets: await client.resource({ group: 'bench.example.io', version: 'v1', resource: 'gadgets' }) }
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

const plain = schemaOf([])
const ruled = schemaOf(rules)
const set = compileRules(ruled)
const object = gadget('g')
const bySchema: number[] = []
const withRules: number[] = []
const without: number[] = []
const created: number[] = []
const [a, b] = [await controlPlane([]), await controlPlane(rules)]
for (let i = -1; i < rounds; i++) {
  const figures = [
    await cost(count, () => validate(plain, object)),
    await cost(count, () => [validate(ruled, object), set?.validate(object, undefined)]),
    await cost(1_000, (n) => a.gadgets.create(gadget(`g${i}-${n}`.replace('-1', 'w')))),
    await cost(1_000, (n) => b.gadgets.create(gadget(`g${i}-${n}`.replace('-1', 'w')))),
  ] as const
  // The first round warms up.
  if (i >= 0) for (const [at, list] of [bySchema, withRules, without, created].entries()) list.push(figures[at] as number)
}
header(['', 'schema alone, µs of CPU (range)', 'with five rules', 'ratio of pairs (range)'])
for (const [name, floor, ours, digits] of [
  ['one validation', bySchema, withRules, 1],
  ['one create, in-process', without, created, 0],
] as const) {
  const times = ratios(ours, floor)
  row([
    name,
    `${median(floor).toFixed(digits)} (${range(floor, digits)})`,
    `${median(ours).toFixed(digits)} (${range(ours, digits)})`,
    `${median(times).toFixed(2)} (${range(times, 2)})`,
  ])
}
await Promise.all([a.host.stop(), b.host.stop()])
