import type { UnstructuredObject } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import { checkSettings } from '../src/check-settings.ts'
import { conversionReview, readAnswer } from '../src/review.ts'

const object = (more: object = {}, metadata: object = {}): UnstructuredObject =>
  ({
    apiVersion: 'demo.io/v1',
    kind: 'Widget',
    metadata: { name: 'w', namespace: 'default', uid: 'u1', creationTimestamp: '2020-01-01T00:00:00Z', labels: { a: '1' }, ...metadata },
    ...more,
  }) as UnstructuredObject
const review = conversionReview(['v2', 'v1'], 'r1', 'demo.io/v2', [object()])
const answer = (response: object): unknown => ({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', response })
const converted = (metadata: object = {}, more: object = {}) => ({
  ...object({ apiVersion: 'demo.io/v2', ...more }),
  metadata: { ...object().metadata, ...metadata },
})
const success = (...objects: unknown[]): unknown => answer({ uid: 'r1', result: { status: 'Success' }, convertedObjects: objects })

describe('the answer of a conversion webhook', () => {
  it('gives the objects, with labels and annotations changed and all other metadata kept', () => {
    const read = readAnswer(
      success(
        converted({ labels: { b: '2' }, annotations: { c: '3' }, creationTimestamp: 'never', finalizers: ['x'] }, { spec: { n: 1 } }),
      ),
      review,
    )
    expect(read).toEqual({
      objects: [
        {
          apiVersion: 'demo.io/v2',
          kind: 'Widget',
          metadata: {
            name: 'w',
            namespace: 'default',
            uid: 'u1',
            creationTimestamp: '2020-01-01T00:00:00Z',
            labels: { b: '2' },
            annotations: { c: '3' },
          },
          spec: { n: 1 },
        },
      ],
    })
  })

  it.each<[string, unknown, string]>([
    ['nothing', null, 'expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got object'],
    ['no response', { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview' }, 'no response provided'],
    ['another request', answer({ uid: 'other', result: { status: 'Success' } }), 'expected response.uid="r1", got "other"'],
    ['no result', answer({ uid: 'r1' }), 'response.result.status was "" instead of "Success"'],
    ['a failure', answer({ uid: 'r1', result: { status: 'Failure', message: 'cannot' } }), 'cannot'],
    ['too few', success(), 'expected 1 converted objects, got 0'],
    [
      'another version',
      success(object()),
      'invalid converted object at index 0: invalid groupVersion (expected demo.io/v2, received demo.io/v1)',
    ],
    [
      'another kind',
      success(converted({}, { kind: 'Gadget' })),
      'invalid converted object at index 0: invalid kind (expected Widget, received Gadget)',
    ],
    ['another name', success(converted({ name: 'x' })), 'invalid converted object at index 0: must have the same name: x != w'],
    [
      'another namespace',
      success(converted({ namespace: 'x' })),
      'invalid converted object at index 0: must have the same namespace: x != default',
    ],
    ['another uid', success(converted({ uid: 'x' })), 'invalid converted object at index 0: must have the same UID: x != u1'],
    ['labels that are none', success(converted({ labels: { a: 1 } })), 'invalid converted object at index 0: metadata.labels.a'],
  ])('with %s is refused', (_name, given, fault) => {
    const read = readAnswer(given, review)
    expect('fault' in read ? read.fault : undefined).toContain(fault)
  })
})

describe('the settings', () => {
  const faults = (webhook: object | undefined): string[] =>
    checkSettings({ strategy: 'Webhook', ...(webhook === undefined ? {} : { webhook }) } as never, 'spec.conversion').map(
      ({ field, message }) => `${field}: ${message}`,
    )

  it('name one address and a version that is spoken', () => {
    expect(faults({ clientConfig: { url: 'https://a.example/x' }, conversionReviewVersions: ['v1'] })).toEqual([])
    expect(faults(undefined)).toEqual([
      'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
      'spec.conversion.conversionReviewVersions: Required value',
    ])
    expect(faults({ clientConfig: { url: 'http://a.example/x' }, conversionReviewVersions: ['v9'] })).toEqual([
      expect.stringContaining('spec.conversion.webhookClientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme'),
      'spec.conversion.conversionReviewVersions: Invalid value: ["v9"]: must include at least one of v1, v1beta1',
    ])
    expect(faults({ clientConfig: {}, conversionReviewVersions: ['v1'] })[0]).toContain('exactly one of url or service is required')
    expect(faults({ clientConfig: { url: 'https://a.example', caBundle: 'bm90IGEgcGVt' }, conversionReviewVersions: ['v1'] })[0]).toContain(
      'unable to load root certificates',
    )
  })
})
