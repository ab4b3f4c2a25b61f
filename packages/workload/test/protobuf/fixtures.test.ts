import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeProtobuf, encodeProtobuf } from '../../src/protobuf/codec.ts'

// Official triples of JSON, YAML and protobuf, kept beside the project where it is developed.
const folder = join(import.meta.dirname, '../../../../../shared/data/kubernetes-1.36-fixtures')
const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.pb')) : []

describe.skipIf(names.length === 0)(
  'official protobuf fixtures (skipped: the folder with Kubernetes’ fixtures is not beside the project)',
  () => {
    for (const name of names) {
      const read = (extension: string) => readFileSync(join(folder, name.replace(/\.pb$/, extension)))
      // A watch event names no kind, neither in JSON nor in its envelope.
      const readJson = () => ({ apiVersion: 'v1', kind: 'WatchEvent', ...JSON.parse(read('.json').toString()) })

      it(`decodes ${name} to its JSON`, () => {
        expect(decodeProtobuf(read('.pb'), { apiVersion: 'v1', kind: 'WatchEvent' }).value).toEqual(readJson())
      })

      it(`reads back what it wrote for ${name}`, () => {
        const object = readJson()
        expect(decodeProtobuf(encodeProtobuf(object)).value).toEqual(object)
      })
    }
  },
)
