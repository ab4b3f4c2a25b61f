interface Priority {
  /** 2 for v1, 1 for v1beta1, 0 for v1alpha1, -1 for other names. */
  readonly stability: number
  readonly major: number
  readonly minor: number
}

function priorityOf(version: string): Priority {
  const parts = /^v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?$/.exec(version)
  if (parts === null) return { stability: -1, major: 0, minor: 0 }
  const [, major, stage, minor] = parts
  return { stability: stage === undefined ? 2 : stage === 'beta' ? 1 : 0, major: Number(major), minor: Number(minor ?? 0) }
}

/** Orders version names by preference: v2, v1, v1beta2, v1beta1, v1alpha1, then all others by the alphabet. */
export function compareVersions(a: string, b: string): number {
  const left = priorityOf(a)
  const right = priorityOf(b)
  return right.stability - left.stability || right.major - left.major || right.minor - left.minor || (a < b ? -1 : a > b ? 1 : 0)
}
