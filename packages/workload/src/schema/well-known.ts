import type { Schema } from '@continuo/core'

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const extensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'
const anything = (definition: string): Schema => ({ definition, 'x-kubernetes-preserve-unknown-fields': true })

/** Definitions whose JSON form is not the one that their Go type suggests. */
export const wellKnown: Readonly<Record<string, Schema>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': {
    definition: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    oneOf: [{ type: 'string' }, { type: 'number' }],
  },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': {
    definition: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    'x-kubernetes-int-or-string': true,
    format: 'int-or-string',
  },
  [`${meta}.Time`]: { definition: `${meta}.Time`, type: 'string', format: 'date-time' },
  [`${meta}.MicroTime`]: { definition: `${meta}.MicroTime`, type: 'string', format: 'date-time' },
  [`${meta}.FieldsV1`]: { ...anything(`${meta}.FieldsV1`), type: 'object' },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': { ...anything('io.k8s.apimachinery.pkg.runtime.RawExtension'), type: 'object' },
  [`${extensions}.JSON`]: anything(`${extensions}.JSON`),
  [`${extensions}.JSONSchemaPropsOrBool`]: anything(`${extensions}.JSONSchemaPropsOrBool`),
  [`${extensions}.JSONSchemaPropsOrArray`]: anything(`${extensions}.JSONSchemaPropsOrArray`),
  [`${extensions}.JSONSchemaPropsOrStringArray`]: anything(`${extensions}.JSONSchemaPropsOrStringArray`),
}
