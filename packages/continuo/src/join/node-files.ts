import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writePrivate } from '@continuo/lib-certificates'

/** Where a joined node keeps what it needs to start again. */
export const nodeFiles = (dataDir: string) => ({
  /** The config file of the node's process. */
  config: join(dataDir, 'node.yaml'),
  authority: join(dataDir, 'node-pki', 'ca.crt'),
  /** Certificate and private key in one. */
  certificate: join(dataDir, 'node-pki', 'node.pem'),
})

export interface NodeConfig {
  readonly dataDir: string
  readonly server: string
  readonly node: string
  /** File that says what the node is composed of beside its connection. */
  readonly base: string
  /** Slots of the base whose plugins must be told the node's name. */
  readonly named: readonly string[]
}

/** Text of the config file: the base as a node alone, against the API elsewhere. Pure. */
export function renderNodeConfig({ dataDir, server, node, base, named }: NodeConfig): string {
  const files = nodeFiles(dataDir)
  const quote = (text: string): string => JSON.stringify(text)
  return `# Written by \`continuo join\`: a node of the cluster at ${server}. Yours to change; joining again with a token writes it anew.
version: 1
name: ${quote(node)}
extends: ${quote(base)}
roles: [node]
plugins:
  client:
    use: "@continuo/plugin-client-http"
    with:
      server: ${quote(server)}
      caFile: ${quote(files.authority)}
      # One file for both, which is replaced as a whole when the certificate is renewed.
      certFile: ${quote(files.certificate)}
      keyFile: ${quote(files.certificate)}
  uplink: { use: "@continuo/plugin-node#nodeUplink" }
  certificate: { use: "@continuo/plugin-node#nodeCertificate", with: { file: ${quote(files.certificate)} } }
${named
  .map(
    (slot) => `  ${quote(slot)}: { with: { nodeName: ${quote(node)} } }
`,
  )
  .join('')}`
}

export const hasJoined = (dataDir: string): boolean => existsSync(nodeFiles(dataDir).config)

/** Writes everything, the config file last: whoever finds it has joined. */
export async function writeNodeFiles(config: NodeConfig, authority: string, certificate: string): Promise<void> {
  const files = nodeFiles(config.dataDir)
  await mkdir(join(config.dataDir, 'node-pki'), { recursive: true, mode: 0o700 })
  await writePrivate(files.authority, authority)
  await writePrivate(files.certificate, certificate)
  await writePrivate(files.config, renderNodeConfig(config))
}
