import type { Pod } from '../../packages/workload/src/index.ts'

/** A pod as clusters hold them: a deployment's template with labels, environment, probes, volumes; annotations fill it up to about `bytes` of JSON. */
export function podOf(index: number, bytes: number, nodeName?: string): Pod {
  const app = `app-${index % 50}`
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${app}-7d9f8b6c5-${String(index).padStart(5, '0')}`,
      namespace: 'default',
      labels: { app, 'pod-template-hash': '7d9f8b6c5', tier: 'backend' },
      annotations: {},
    },
    spec: {
      ...(nodeName === undefined ? {} : { nodeName }),
      containers: [
        {
          name: 'main',
          image: `registry.example.com/team/${app}:1.2.3`,
          ports: [{ containerPort: 8080, name: 'http' }],
          env: [
            { name: 'PORT', value: '8080' },
            { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          ],
          resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
          readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 5 },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  }
  // What the server adds (defaults, identity, field ownership) is about this much.
  const missing = bytes - JSON.stringify(pod).length - 1_900
  if (missing > 0) pod.metadata.annotations = { 'example.com/note': 'x'.repeat(missing) }
  return pod
}
