import type { KeyPair } from './authority.ts'

export interface KubeconfigOptions {
  /** Name of the cluster, the user and the context. */
  readonly name: string
  /** URL of the API, as `https://127.0.0.1:6443`. */
  readonly server: string
  /** PEM of the authority that signed the server's certificate. Absent for plain HTTP. */
  readonly authority?: string
  readonly client?: KeyPair
  readonly token?: string
  readonly namespace?: string
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

/** Text of a kubeconfig file that holds everything inline. It is YAML and, because every value is quoted as JSON, needs no YAML library. */
export function renderKubeconfig(options: KubeconfigOptions): string {
  const quote = (text: string): string => JSON.stringify(text)
  const lines = [
    'apiVersion: v1',
    'kind: Config',
    `current-context: ${quote(options.name)}`,
    'clusters:',
    `- name: ${quote(options.name)}`,
    '  cluster:',
    `    server: ${quote(options.server)}`,
    ...(options.authority === undefined ? [] : [`    certificate-authority-data: ${base64(options.authority)}`]),
    'contexts:',
    `- name: ${quote(options.name)}`,
    '  context:',
    `    cluster: ${quote(options.name)}`,
    `    user: ${quote(options.name)}`,
    ...(options.namespace === undefined ? [] : [`    namespace: ${quote(options.namespace)}`]),
    'users:',
    `- name: ${quote(options.name)}`,
    '  user:',
    ...(options.client === undefined
      ? []
      : [
          `    client-certificate-data: ${base64(options.client.certificate)}`,
          `    client-key-data: ${base64(options.client.privateKey)}`,
        ]),
    ...(options.token === undefined ? [] : [`    token: ${quote(options.token)}`]),
  ]
  if (options.client === undefined && options.token === undefined) lines[lines.length - 1] = '  user: {}'
  return `${lines.join('\n')}\n`
}
