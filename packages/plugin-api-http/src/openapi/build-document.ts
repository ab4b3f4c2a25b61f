import { type Clock, type Schema, type ServedResource, verbsOf } from '@continuo/core'
import { style2, style3 } from './path-style.ts'
import { type PathKinds, pathsOf } from './paths.ts'
import { type Descriptions, type OpenApiVersion, SchemaEmitter } from './schema-emitter.ts'

type Json = Record<string, unknown>

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'

/** Definitions that the operations of every resource need, for a server without a table of Kubernetes' own. */
const ownDefinitions: Readonly<Record<string, Schema>> = {
  ListMeta: {
    type: 'object',
    properties: {
      continue: { type: 'string' },
      remainingItemCount: { type: 'integer', format: 'int64' },
      resourceVersion: { type: 'string' },
      selfLink: { type: 'string' },
    },
  },
  DeleteOptions: {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      dryRun: { type: 'array', items: { type: 'string' } },
      gracePeriodSeconds: { type: 'integer', format: 'int64' },
      orphanDependents: { type: 'boolean' },
      preconditions: { type: 'object', properties: { resourceVersion: { type: 'string' }, uid: { type: 'string' } } },
      propagationPolicy: { type: 'string' },
    },
  },
  Status: {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      code: { type: 'integer', format: 'int32' },
      message: { type: 'string' },
      reason: { type: 'string' },
      status: { type: 'string' },
      details: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  },
  Patch: { type: 'object', description: 'A patch, in the form that its content type names.' },
}

export interface DocumentSources {
  readonly clock: Clock
  loadDescriptions(): Promise<Descriptions>
  /** Schema of a definition of Kubernetes by its name; undefined when there is none. */
  definition(name: string): Schema | undefined
}

const definitionOf = (sources: DocumentSources, name: keyof typeof ownDefinitions | string): Schema =>
  sources.definition(`${meta}.${name}`) ?? { ...ownDefinitions[name], definition: `${meta}.${name}` }

/** Resources that are emitted before the event loop gets its turn. */
const stride = 4

/** Schemas and paths of some served resources, for either version of OpenAPI. */
async function collect(
  served: readonly ServedResource[],
  version: OpenApiVersion,
  sources: DocumentSources,
): Promise<{ readonly emitter: SchemaEmitter; readonly paths: Record<string, Json> }> {
  const emitter = new SchemaEmitter(version, await sources.loadDescriptions())
  const paths: Record<string, Json> = {}
  const style = version === 'v3' ? style3 : style2
  const use = (name: string): Json => emitter.emit(definitionOf(sources, name))
  const shared = { deleteOptions: use('DeleteOptions'), patch: use('Patch'), status: use('Status') }
  const listMeta = definitionOf(sources, 'ListMeta')
  for (const [index, one] of served.entries()) {
    if (index % stride === stride - 1) await sources.clock.yield()
    const name = emitter.addKind(one.schema, one.gvk)
    const subresources: Record<string, Json> = {}
    for (const subresource of one.version.subresources ?? []) {
      if (subresource.type !== 'connect' && subresource.schema !== undefined)
        subresources[subresource.name] = emitter.reference(emitter.addKind(subresource.schema, subresource.kind))
    }
    const list =
      verbsOf(one.definition)?.includes('list') === false
        ? name
        : emitter.addList(name, one.gvk, one.definition.listKind ?? `${one.definition.kind}List`, listMeta)
    const kinds: PathKinds = { object: emitter.reference(name), list: emitter.reference(list), ...shared, subresources }
    Object.assign(paths, pathsOf(one, kinds, style))
  }
  return { emitter, paths }
}

const info = { title: 'Kubernetes', version: 'v1.36.0' }

/** The OpenAPI 3.0 document of one group version. */
export async function buildV3(served: readonly ServedResource[], sources: DocumentSources): Promise<Json> {
  const { emitter, paths } = await collect(served, 'v3', sources)
  return {
    openapi: '3.0.0',
    info: { ...info, title: 'Kubernetes' },
    paths,
    components: {
      schemas: emitter.definitions,
      securitySchemes: { BearerToken: { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' } },
    },
  }
}

/** The OpenAPI 2.0 document of everything. */
export async function buildV2(served: readonly ServedResource[], sources: DocumentSources): Promise<Json> {
  const { emitter, paths } = await collect(served, 'v2', sources)
  return {
    swagger: '2.0',
    info,
    paths,
    definitions: emitter.definitions,
    securityDefinitions: {
      BearerToken: { description: 'Bearer Token authentication', type: 'apiKey', name: 'authorization', in: 'header' },
    },
    security: [{ BearerToken: [] }],
  }
}
