import { definePlugin } from '@continuo/core'
import { type PersistentVolumeClaim, StorageClass } from '@continuo/workload'
import { concerns } from '../requests/requests.ts'
import { newestDefault } from './newest-default.ts'

const marks = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']
const betaClass = 'volume.beta.kubernetes.io/storage-class'

/** Gives claims that name no storage class the default one. A claim that asks for `""` is left alone. */
export const defaultStorageClass = definePlugin({
  name: 'default-storage-class',
  api: '^1',
  permissions: [{ apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['list'] }],
  setup(ctx) {
    ctx.admission({
      reads: [StorageClass],
      mutate(request) {
        if (request.operation !== 'CREATE' || !concerns(request, '', 'persistentvolumeclaims')) return
        const { spec, metadata } = request.object as unknown as PersistentVolumeClaim
        if (spec === undefined || spec.storageClassName !== undefined || metadata.annotations?.[betaClass] !== undefined) return
        const classes = request.read.list(StorageClass)
        const found = marks.map((mark) => newestDefault(classes, mark)).find((each) => each !== undefined)
        if (found !== undefined) spec.storageClassName = found.metadata.name
      },
    })
  },
})
