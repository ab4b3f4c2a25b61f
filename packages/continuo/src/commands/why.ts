import type { RunFlags } from './flags.ts'

export async function why(
  _target: string,
  _flags: Pick<RunFlags, 'dataDir' | 'kubeconfig'> & { readonly namespace: string },
): Promise<void> {}
