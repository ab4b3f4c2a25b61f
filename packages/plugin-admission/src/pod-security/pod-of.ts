import type { CheckedPod } from './checks/check.ts'

interface Templated {
  readonly template?: Template
  readonly spec?: { readonly template?: Template; readonly jobTemplate?: { readonly spec?: { readonly template?: Template } } }
}
interface Template {
  readonly metadata?: CheckedPod['metadata']
  readonly spec?: CheckedPod['spec']
}

type Extract = (object: Templated) => Template | undefined
const ofSpec: Extract = ({ spec }) => spec?.template

const templates: Readonly<Record<string, Extract>> = {
  'podtemplates.': ({ template }) => template,
  'replicationcontrollers.': ofSpec,
  'replicasets.apps': ofSpec,
  'deployments.apps': ofSpec,
  'statefulsets.apps': ofSpec,
  'daemonsets.apps': ofSpec,
  'jobs.batch': ofSpec,
  'cronjobs.batch': ({ spec }) => spec?.jobTemplate?.spec?.template,
}

/** How the template of pods is found in objects of a resource; `undefined` for resources that have none. */
export function templateIn({ group, resource }: { readonly group: string; readonly resource: string }): Extract | undefined {
  const id = `${resource}.${group}`
  return Object.hasOwn(templates, id) ? templates[id] : undefined
}

/** The template as a pod; `undefined` when it has no spec to check. */
export const asPod = (template: Template | undefined): CheckedPod | undefined =>
  template?.spec === undefined
    ? undefined
    : { ...(template.metadata === undefined ? {} : { metadata: template.metadata }), spec: template.spec }

/** True when an update of a pod changes something that checks look at: an image, or a container that was not there. */
export function isSignificant(next: CheckedPod['spec'], old: CheckedPod['spec']): boolean {
  const groups = ['containers', 'initContainers', 'ephemeralContainers'] as const
  return groups.some((group) => {
    const before = new Map((old[group] ?? []).map(({ name, image }) => [name, image]))
    const now = next[group] ?? []
    return (
      (group !== 'ephemeralContainers' && now.length !== before.size) ||
      now.some(({ name, image }) => !before.has(name) || before.get(name) !== image)
    )
  })
}
