import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

/** A registry of one image, which asks for a user when it has one. */
export interface Registry {
  /** `HOST:PORT`. */
  readonly address: string
  /** From now on answers begin and do not end. */
  stall(): void
  close(): Promise<void>
}

const digest = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`

/** Serves `shop:1`, whose only layer is the archive. Speaks as much of the distribution protocol as a pull needs. */
export async function startRegistry(host: string, layer: Buffer, user?: { name: string; password: string }): Promise<Registry> {
  const packed = gzipSync(layer)
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Cmd: ['echo', 'from the registry'], Env: ['PATH=/bin'] },
      rootfs: { type: 'layers', diff_ids: [digest(layer)] },
    }),
  )
  const type = 'application/vnd.docker.distribution.manifest.v2+json'
  const part = (mediaType: string, content: Buffer) => ({ mediaType, size: content.length, digest: digest(content) })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: part('application/vnd.docker.container.image.v1+json', config),
      layers: [part('application/vnd.docker.image.rootfs.diff.tar.gzip', packed)],
    }),
  )
  const wanted = user === undefined ? undefined : `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`
  let stalled = false
  const send = (answer: ServerResponse, content: Buffer, contentType: string): void => {
    answer
      .setHeader('Content-Type', contentType)
      .setHeader('Content-Length', content.length)
      .setHeader('Docker-Content-Digest', digest(content))
    if (stalled) answer.write(content.subarray(0, 10))
    else answer.end(content)
  }
  const server = createServer((request, answer) => {
    const path = request.url ?? ''
    if (wanted !== undefined && request.headers.authorization !== wanted)
      answer
        .writeHead(401, { 'WWW-Authenticate': 'Basic realm="test"', 'Content-Type': 'application/json' })
        .end('{"errors":[{"code":"UNAUTHORIZED"}]}')
    else if (path === '/v2/') answer.end('{}')
    else if (path === '/v2/shop/manifests/1' || path === `/v2/shop/manifests/${digest(manifest)}`) send(answer, manifest, type)
    else if (path === `/v2/shop/blobs/${digest(config)}`) send(answer, config, 'application/octet-stream')
    else if (path === `/v2/shop/blobs/${digest(packed)}`) send(answer, packed, 'application/octet-stream')
    else
      answer
        .writeHead(404, { 'Content-Type': 'application/json' })
        .end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
  })
  await once(server.listen(0, host), 'listening')
  return {
    address: `${host}:${(server.address() as AddressInfo).port}`,
    stall: () => {
      stalled = true
    },
    close: async () => {
      server.closeAllConnections()
      await once(server.close(), 'close')
    },
  }
}
