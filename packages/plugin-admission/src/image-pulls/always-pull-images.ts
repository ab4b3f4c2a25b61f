import { definePlugin } from '@continuo/core'
import type { Pod } from '@continuo/workload'
import { concerns } from '../requests/requests.ts'

const imagesOf = ({ spec }: Pod): readonly (string | undefined)[] =>
  [...(spec?.containers ?? []), ...(spec?.initContainers ?? []), ...(spec?.ephemeralContainers ?? [])].map(({ image }) => image)

/** Makes every pod pull its images anew, so that nobody runs a private image whose credentials another pod had. */
export const alwaysPullImages = definePlugin({
  name: 'always-pull-images',
  api: '^1',
  setup(ctx) {
    ctx.admission({
      mutate(request) {
        if (!concerns(request, '', 'pods') || request.operation === 'DELETE') return
        const pod = request.object as unknown as Pod
        if (request.operation === 'UPDATE') {
          const known = imagesOf(request.oldObject as unknown as Pod)
          if (imagesOf(pod).every((image) => known.includes(image))) return
        }
        const { containers = [], initContainers = [], ephemeralContainers = [], volumes = [] } = pod.spec ?? {}
        for (const container of [...containers, ...initContainers, ...ephemeralContainers]) container.imagePullPolicy = 'Always'
        for (const { image } of volumes) if (image !== undefined) image.pullPolicy = 'Always'
      },
    })
  },
})
