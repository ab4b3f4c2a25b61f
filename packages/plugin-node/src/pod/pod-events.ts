import { type EventTarget, targetOf } from '@continuo/core'
import type { PodContainer, PodView } from './model.ts'

const lists = { init: 'initContainers', main: 'containers', ephemeral: 'ephemeralContainers' } as const

/** The reference that events about one container of a pod carry: `spec.containers{web}`. */
export const containerTarget = (pod: PodView, container: PodContainer): EventTarget =>
  targetOf(pod, `spec.${lists[container.kind]}{${container.spec.name}}`)
