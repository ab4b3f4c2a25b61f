import { describe, expect, it } from 'vitest'
import {
  Deployment,
  definitionNames,
  HorizontalPodAutoscaler,
  Node,
  Pod,
  podResource,
  schemaOf,
  workloadResources,
} from '../../src/index.ts'

describe('workloadResources', () => {
  it('names each resource, kind and short name once', () => {
    const plurals = workloadResources.map((resource) => `${resource.plural}.${resource.group}`)
    expect(new Set(plurals).size).toBe(plurals.length)
    const shortNames = workloadResources.flatMap((resource) => resource.shortNames ?? [])
    expect(new Set(shortNames).size).toBe(shortNames.length)
    expect(shortNames).toEqual(
      expect.arrayContaining([
        'po',
        'deploy',
        'rs',
        'svc',
        'no',
        'ep',
        'cm',
        'sa',
        'ds',
        'sts',
        'cj',
        'hpa',
        'pdb',
        'ing',
        'netpol',
        'pv',
        'pvc',
        'sc',
        'pc',
        'quota',
        'limits',
        'csr',
        'rc',
      ]),
    )
  })

  it('lists in `all` what kubectl lists there', () => {
    expect(
      workloadResources
        .filter((resource) => resource.categories?.includes('all'))
        .map((resource) => resource.plural)
        .sort(),
    ).toEqual([
      'cronjobs',
      'daemonsets',
      'deployments',
      'horizontalpodautoscalers',
      'jobs',
      'pods',
      'replicasets',
      'replicationcontrollers',
      'services',
      'statefulsets',
    ])
  })

  it('has a schema with a spec or data of its own for every version', () => {
    for (const resource of workloadResources)
      for (const version of resource.versions) {
        const schema = typeof version.schema === 'function' ? version.schema() : version.schema
        expect(Object.keys(schema.properties ?? {}), resource.plural).toEqual(expect.arrayContaining(['apiVersion', 'kind', 'metadata']))
      }
  })

  it('serves every subresource of a pod', () => {
    const subresources = podResource.versions[0]?.subresources ?? []
    expect(Object.fromEntries(subresources.map(({ name, type, verbs }) => [name, `${type} ${verbs.join(' ')}`]))).toEqual({
      attach: 'connect create get',
      binding: 'object create',
      ephemeralcontainers: 'object get patch update',
      eviction: 'action create',
      exec: 'connect create get',
      log: 'connect get',
      portforward: 'connect create get',
      proxy: 'connect create delete get patch update',
      resize: 'object get patch update',
      status: 'object get patch update',
    })
  })
})

describe('handles', () => {
  it('say what the generated API says', () => {
    expect(Pod).toEqual({ group: '', version: 'v1', kind: 'Pod', resource: 'pods', namespaced: true })
    expect(Node).toMatchObject({ resource: 'nodes', namespaced: false })
    expect(Deployment).toMatchObject({ group: 'apps', version: 'v1' })
    expect(HorizontalPodAutoscaler).toMatchObject({ group: 'autoscaling', version: 'v2' })
  })
})

describe('schemaOf', () => {
  it('shares sub-schemas by reference and keeps cycles', () => {
    expect(schemaOf('io.k8s.api.apps.v1.DeploymentSpec').properties?.template).toBe(schemaOf('io.k8s.api.core.v1.PodTemplateSpec'))
    const props = schemaOf('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
    expect(props.properties?.not).toBe(props)
  })

  it('carries formats, required fields and how lists merge', () => {
    const container = schemaOf('io.k8s.api.core.v1.Container')
    expect(container.required).toEqual(['name'])
    expect(container.properties?.ports).toMatchObject({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'containerPort',
    })
    expect(container.properties?.args).toMatchObject({ type: 'array', 'x-kubernetes-list-type': 'atomic' })
    expect(schemaOf('io.k8s.api.core.v1.Secret').properties?.data).toEqual({
      type: 'object',
      additionalProperties: { type: 'string', format: 'byte' },
    })
    expect(schemaOf('io.k8s.api.core.v1.PodSpec').properties?.volumes).toMatchObject({
      'x-kubernetes-patch-strategy': 'merge,retainKeys',
      'x-kubernetes-patch-merge-key': 'name',
    })
    expect(schemaOf('io.k8s.api.apps.v1.DeploymentSpec').properties?.strategy).toMatchObject({
      'x-kubernetes-patch-strategy': 'retainKeys',
      definition: 'io.k8s.api.apps.v1.DeploymentStrategy',
    })
    expect(schemaOf('io.k8s.api.core.v1.ServiceSpec').properties?.selector).toMatchObject({ 'x-kubernetes-map-type': 'atomic' })
  })

  it('leaves no reference dangling', () => {
    const names = definitionNames()
    expect(names.length).toBeGreaterThan(550)
    for (const name of names) expect(() => schemaOf(name)).not.toThrow()
  })

  it('has no definition that nobody asked for', () => {
    expect(() => schemaOf('io.k8s.api.core.v1.Nothing')).toThrow(RangeError)
  })
})
