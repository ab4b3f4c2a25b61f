import type { CelType, CompileOptions, ObjectType } from '@continuo/lib-cel'
import { cel } from '@continuo/lib-cel'
import { authorizerLibrary, authorizerType } from './authorizer.ts'

const names = cel.object('kubernetes.GroupVersionKind', { group: cel.string, version: cel.string, kind: cel.string })
const resources = cel.object('kubernetes.GroupVersionResource', { group: cel.string, version: cel.string, resource: cel.string })

/** The type of `request`. */
export const requestType: ObjectType = cel.object('kubernetes.AdmissionRequest', {
  kind: names,
  resource: resources,
  subResource: cel.string,
  requestKind: names,
  requestResource: resources,
  requestSubResource: cel.string,
  name: cel.string,
  namespace: cel.string,
  operation: cel.string,
  userInfo: cel.object('kubernetes.UserInfo', {
    username: cel.string,
    uid: cel.string,
    groups: cel.list(cel.string),
    extra: cel.map(cel.string, cel.list(cel.string)),
  }),
  dryRun: cel.bool,
  options: cel.dyn,
})

/** What an expression of admission may name beside what is always there. */
export interface EnvironmentOptions {
  /** Default: `object`, `oldObject` and `params` are looked at as they come. */
  readonly objectType?: CelType
  readonly paramsType?: CelType
  readonly hasParams?: boolean
  readonly hasAuthorizer?: boolean
  readonly hasNamespace?: boolean
  /** Type of `variables`; its fields may be added while the variables are compiled. */
  readonly variables?: CelType
  readonly result?: CompileOptions['result']
  readonly message?: CompileOptions['message']
  readonly functions?: CompileOptions['functions']
}

const authorizing = authorizerLibrary
const libraries = new WeakMap<NonNullable<CompileOptions['functions']>, NonNullable<CompileOptions['functions']>>()

/** One list for each set of further functions, so that it is made into a table once. */
function withAuthorizer(functions: CompileOptions['functions']): NonNullable<CompileOptions['functions']> {
  if (functions === undefined) return authorizing
  let joined = libraries.get(functions)
  if (joined === undefined) {
    joined = [...authorizing, ...functions]
    libraries.set(functions, joined)
  }
  return joined
}

/** What an expression is compiled with. */
export function environment(options: EnvironmentOptions): CompileOptions {
  const { objectType = cel.dyn, paramsType = cel.dyn, variables, result, message } = options
  const functions = options.hasAuthorizer === true ? withAuthorizer(options.functions) : options.functions
  return {
    variables: {
      object: objectType,
      oldObject: objectType,
      request: requestType,
      ...(options.hasNamespace === false ? {} : { namespaceObject: cel.dyn }),
      ...(options.hasParams === true ? { params: paramsType } : {}),
      ...(options.hasAuthorizer === true ? { authorizer: authorizerType } : {}),
      ...(variables === undefined ? {} : { variables }),
    },
    ...(result === undefined ? {} : { result }),
    ...(functions === undefined ? {} : { functions }),
    ...(message === undefined ? {} : { message }),
  }
}
