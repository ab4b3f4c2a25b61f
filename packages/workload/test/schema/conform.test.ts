import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { applyDefaults, formatApiVersion, type UnstructuredObject, validate } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import { schemaOf, workloadResources } from '../../src/index.ts'
import { conform } from '../../src/schema/conform.ts'

const podSchema = schemaOf('io.k8s.api.core.v1.Pod')
const conformed = (spec: unknown): unknown => {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec } as unknown as UnstructuredObject
  conform(object, podSchema)
  return object.spec
}

describe('conform', () => {
  it('makes quantities canonical wherever they are', () => {
    expect(conformed({ overhead: { cpu: 0.25 }, volumes: [{ emptyDir: { sizeLimit: '1024Ki' } }] })).toEqual({
      overhead: { cpu: '250m' },
      volumes: [{ emptyDir: { sizeLimit: '1Mi' } }],
    })
  })

  it('takes an empty text for absent where only certain words are allowed', () => {
    expect(conformed({ restartPolicy: '', hostname: '' })).toEqual({ hostname: '' })
  })

  it('leaves unknown fields and nulls to others', () => {
    expect(conformed({ unknown: { cpu: '0.5' }, nodeSelector: null })).toEqual({ unknown: { cpu: '0.5' }, nodeSelector: null })
  })

  it.each([
    [{ hostNetwork: 'yes' }, 'cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool'],
    [{ priority: 1.5 }, 'cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32'],
    [{ nodeName: 5 }, 'cannot unmarshal number into Go struct field PodSpec.spec.nodeName of type string'],
    [{ nodeSelector: { a: true } }, 'cannot unmarshal bool into Go struct field PodSpec.spec.nodeSelector.a of type string'],
    [
      { containers: [{ livenessProbe: { httpGet: { port: [80] } } }] },
      'cannot unmarshal array into Go struct field HTTPGetAction.spec.containers.livenessProbe.httpGet.port of type intstr.IntOrString',
    ],
    ['text', 'cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec'],
  ])('refuses %j', (spec, message) => {
    expect(() => conformed(spec)).toThrow(expect.objectContaining({ reason: 'BadRequest', message: expect.stringContaining(message) }))
  })
})

// Official objects with every field set, kept beside the project where it is developed.
const folder = join(import.meta.dirname, '../../../../../shared/data/kubernetes-1.36-fixtures')

/** The aggregator's own kind, which the fixtures leave out. */
const withoutFixture = ['APIService']
const fixed = workloadResources.filter(({ kind }) => !withoutFixture.includes(kind))

describe.skipIf(!existsSync(folder))('official objects (skipped: the folder with Kubernetes’ fixtures is not beside the project)', () => {
  it.each(fixed.map((resource) => [`${resource.group || 'core'}.${resource.versions[0]?.name}.${resource.kind}`, resource] as const))(
    '%s has the form of its schema',
    (name, resource) => {
      const object = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))
      const version = resource.versions[0]!
      const schema = typeof version.schema === 'function' ? version.schema() : version.schema
      expect(object.apiVersion).toBe(formatApiVersion({ group: resource.group, version: version.name }))
      applyDefaults(schema, object)
      conform(object, schema)
      // Their texts are invented (`phaseValue`), so words out of a closed set are wrong; nothing else may be.
      expect(validate(schema, object, '', { listTypes: false }).filter((fault) => fault.type !== 'FieldValueNotSupported')).toEqual([])
    },
  )

  it('read defaults and validation of every kind without a crash', () => {
    for (const resource of fixed) {
      const object = JSON.parse(
        readFileSync(join(folder, `${resource.group || 'core'}.${resource.versions[0]?.name}.${resource.kind}.json`), 'utf8'),
      )
      resource.strategy?.default?.(object)
      resource.strategy?.validate?.(object)
      resource.strategy?.validateUpdate?.(object, structuredClone(object), undefined)
      resource.strategy?.prepareForUpdate?.(object, structuredClone(object))
      expect(resource.versions[0]?.table?.row(object, 0)).toHaveLength(resource.versions[0]?.table?.columns.length ?? -1)
    }
  })
})
