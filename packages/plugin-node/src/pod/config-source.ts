import { hasReason, type ObjectClient } from '@continuo/core'
import { ConfigMap, Secret } from '@continuo/workload'
import type { ConfigSource } from './environment.ts'

const utf8 = new TextEncoder()

/** Reads ConfigMaps and Secrets as bytes by key. */
export class ClientConfigSource implements ConfigSource {
  readonly #client: ObjectClient

  constructor(client: ObjectClient) {
    this.#client = client
  }

  async configMap(namespace: string, name: string): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
    const object = await orAbsent(this.#client.for(ConfigMap).get({ namespace, name }))
    if (object === undefined) return undefined
    const text = Object.entries(object.data ?? {}).map(([key, value]): [string, Uint8Array] => [key, utf8.encode(value)])
    const binary = Object.entries(object.binaryData ?? {}).map(([key, value]): [string, Uint8Array] => [key, Buffer.from(value, 'base64')])
    return new Map([...text, ...binary])
  }

  async secret(namespace: string, name: string): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
    const object = await orAbsent(this.#client.for(Secret).get({ namespace, name }))
    if (object === undefined) return undefined
    return new Map(Object.entries(object.data ?? {}).map(([key, value]): [string, Uint8Array] => [key, Buffer.from(value, 'base64')]))
  }
}

async function orAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined
    throw error
  }
}
