import { AdmissionCommitted } from '../admission/admission.ts'
import type { AdmissionRun } from '../admission/admission-run.ts'
import type { ServiceParts } from './service-parts.ts'

/** Tells whoever taps `admission/committed`. The write stands, whatever they do: a tap that throws is logged. */
export async function committed(parts: ServiceParts, run: AdmissionRun, revision: number): Promise<void> {
  if (parts.hooks.isIdle(AdmissionCommitted)) return
  await parts.hooks.call(AdmissionCommitted, { request: run, resourceVersion: parts.views.scale.format(revision) }).catch((error) => {
    parts.log.error(
      { error: error instanceof Error ? error.message : String(error), resource: run.resource, name: run.name },
      'a tap of admission/committed failed',
    )
  })
}
