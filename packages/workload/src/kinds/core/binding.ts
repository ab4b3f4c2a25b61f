import { defineResource } from '@continuo/core'
import type { Binding as BindingObject } from '../../generated/types/core-v1.ts'
import { schemaOf } from '../../schema/schema-of.ts'
import { kindOf } from '../kind-of.ts'

export type Binding = BindingObject
/** Handle of bindings in v1: a POST assigns the pod of its name to a node, as `pods/binding` does. */
export const Binding = kindOf<Binding>('v1', 'bindings')

export const bindingResource = defineResource({
  group: '',
  plural: Binding.resource,
  kind: Binding.kind,
  namespaced: true,
  verbs: ['create'],
  virtual: true,
  storageVersion: 'v1',
  versions: [{ name: 'v1', schema: () => schemaOf('io.k8s.api.core.v1.Binding') }],
})
