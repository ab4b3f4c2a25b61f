import { describe, expect, it } from 'vitest'
import { formatStandard, type Policy, policyOf } from '../../src/pod-security/policy.ts'

const open: Policy = {
  enforce: { level: 'privileged', version: 'latest' },
  audit: { level: 'privileged', version: 'latest' },
  warn: { level: 'privileged', version: 'latest' },
}

const read = (labels: Record<string, string>) => {
  const { policy, errors } = policyOf(
    Object.fromEntries(Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value])),
    open,
  )
  return { enforce: formatStandard(policy.enforce), audit: formatStandard(policy.audit), warn: formatStandard(policy.warn), errors }
}

describe('the policy of a namespace', () => {
  it.each<[string, Record<string, string>, [string, string, string]]>([
    ['nothing is asked of a namespace without labels', {}, ['privileged:latest', 'privileged:latest', 'privileged:latest']],
    [
      'an enforced level is warned about too',
      { enforce: 'baseline', 'enforce-version': 'v1.25' },
      ['baseline:v1.25', 'privileged:latest', 'baseline:v1.25'],
    ],
    [
      'a level of its own is kept',
      { enforce: 'restricted', warn: 'baseline', 'warn-version': 'v1.30' },
      ['restricted:latest', 'privileged:latest', 'baseline:v1.30'],
    ],
    [
      'what is not understood is enforced strictly and neither audited nor warned about',
      { enforce: 'x', audit: 'y', warn: 'z' },
      ['restricted:latest', 'privileged:latest', 'privileged:latest'],
    ],
  ])('%s', (_name, labels, [enforce, audit, warn]) => {
    expect(read(labels)).toMatchObject({ enforce, audit, warn })
  })

  it('says which labels are wrong', () => {
    expect(read({ enforce: 'x', 'warn-version': 'v2' }).errors).toEqual([
      {
        type: 'FieldValueInvalid',
        field: 'metadata.labels[pod-security.kubernetes.io/enforce]',
        message: 'Invalid value: "x": must be one of privileged, baseline, restricted',
      },
      {
        type: 'FieldValueInvalid',
        field: 'metadata.labels[pod-security.kubernetes.io/warn-version]',
        message: 'Invalid value: "v2": must be "latest" or "v1.x"',
      },
    ])
  })
})
