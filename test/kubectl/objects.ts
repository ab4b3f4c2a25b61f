/** A container of the embedded runtime: a shell of this machine. */
export const shell = (script: string, more: object = {}): object => ({
  name: 'main',
  image: 'host',
  command: ['sh', '-c', script],
  ...more,
})

/** Runs until it is told to end, and ends at once then. */
export const idle = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"

export const configMap = (
  name: string,
  data: Readonly<Record<string, string>> = {},
  labels?: Readonly<Record<string, string>>,
): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...(labels === undefined ? {} : { labels }) },
  data,
})

export const pod = (name: string, script: string = idle, { labels = {}, spec = {} }: { labels?: object; spec?: object } = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: { terminationGracePeriodSeconds: 1, restartPolicy: 'Never', containers: [shell(script)], ...spec },
})

export const deployment = (
  name: string,
  { replicas = 1, script = idle, spec = {} }: { replicas?: number; script?: string; spec?: object } = {},
): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels: { app: name } },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { terminationGracePeriodSeconds: 1, containers: [shell(script)] } },
    ...spec,
  },
})

export const cronTab = (name: string, spec: object = {}): object => ({
  apiVersion: 'stable.example.com/v1',
  kind: 'CronTab',
  metadata: { name },
  spec: { cronSpec: '* * * * 5', ...spec },
})

/** A kind of its own, with everything that a definition may have. Cluster-scoped: one for the whole suite. */
export const cronTabDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'crontabs.stable.example.com' },
  spec: {
    group: 'stable.example.com',
    scope: 'Namespaced',
    names: { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', shortNames: ['ct'], categories: ['all', 'tabs'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' },
        },
        additionalPrinterColumns: [
          { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec', description: 'When it runs' },
          { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas', priority: 1 },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        selectableFields: [{ jsonPath: '.spec.cronSpec' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description: 'CronTab runs something at times.',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                description: 'What shall run.',
                required: ['cronSpec'],
                properties: {
                  cronSpec: { type: 'string', pattern: '^(\\S+ ){4}\\S+$', description: 'The times.' },
                  replicas: { type: 'integer', minimum: 1, maximum: 10, default: 1 },
                  image: { type: 'string' },
                  parts: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, value: { type: 'string' } } },
                  },
                },
              },
              status: {
                type: 'object',
                properties: { replicas: { type: 'integer' }, selector: { type: 'string' }, phase: { type: 'string' } },
              },
            },
          },
        },
      },
    ],
  },
}
