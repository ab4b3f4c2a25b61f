import type { DeepReadonly } from '@continuo/core'
import type { Volume } from '@continuo/workload'
import { type Check, distinct, plural, quoted } from './check.ts'

export const hostPathVolumes: Check = {
  id: 'hostPathVolumes',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      run({ spec }) {
        const bad = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name)
        return bad.length === 0
          ? undefined
          : { reason: 'hostPath volumes', detail: `${plural('volume', 'volumes', bad.length)} ${quoted(bad)}` }
      },
    },
  ],
}

const harmless = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
] as const

/** The type of a volume: its only other field. */
const typeOf = (volume: DeepReadonly<Volume>): string => Object.keys(volume).find((field) => field !== 'name') ?? 'unknown'

export const restrictedVolumes: Check = {
  id: 'restrictedVolumes',
  level: 'restricted',
  overrides: ['hostPathVolumes'],
  revisions: [
    {
      since: 0,
      run({ spec }) {
        const bad = (spec.volumes ?? []).filter((volume) => harmless.every((type) => volume[type] === undefined))
        if (bad.length === 0) return undefined
        const types = distinct(bad.map(typeOf))
        return {
          reason: 'restricted volume types',
          detail: `${plural('volume', 'volumes', bad.length)} ${quoted(bad.map(({ name }) => name))} ${plural('uses', 'use', bad.length)} restricted volume ${plural('type', 'types', types.length)} ${quoted(types)}`,
        }
      },
    },
  ],
}
