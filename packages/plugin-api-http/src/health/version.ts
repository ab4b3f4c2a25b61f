/** The release of Kubernetes whose API is served. */
const kubernetesMinor = '36'

/** `/version`. Major and minor are whole numbers in text: clients parse them. */
export const versionInfo = (buildDate: string): object => ({
  major: '1',
  minor: kubernetesMinor,
  emulationMajor: '1',
  emulationMinor: kubernetesMinor,
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: `v1.${kubernetesMinor}.0+continuo`,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate,
  goVersion: `node-${process.version}`,
  compiler: 'v8',
  platform: `${process.platform}/${process.arch}`,
})
