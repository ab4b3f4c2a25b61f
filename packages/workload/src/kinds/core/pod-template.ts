import type { PodTemplate as PodTemplateObject } from '../../generated/types/core-v1.ts'
import { checkTemplate } from '../../pod-spec/check-pod-spec.ts'
import { defaultTemplate } from '../../pod-spec/default-pod-spec.ts'
import { nameColumn, table, text } from '../../table/columns.ts'
import { containerImages, containerNames, labelsCell } from '../../table/selectors.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type PodTemplate = PodTemplateObject
/** Handle of podtemplates in v1. */
export const PodTemplate = kindOf<PodTemplate>('v1', 'podtemplates')

export const podTemplateResource = workloadResource(PodTemplate, {
  table: table<PodTemplate>(
    nameColumn(),
    text('Containers', ({ template }) => containerNames(template?.spec?.containers)),
    text('Images', ({ template }) => containerImages(template?.spec?.containers)),
    text('Pod Labels', ({ template }) => labelsCell(template?.metadata?.labels)),
  ),
  strategy: strategyOf<PodTemplate>({
    default: ({ template }) => defaultTemplate(template),
    validate: ({ template }, errors) => checkTemplate(template, 'template', ['Always', 'OnFailure', 'Never'], errors),
  }),
})
