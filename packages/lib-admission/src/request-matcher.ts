import { compileLabelSelector, type LabelPredicate, type LabelSelector } from '@continuo/core'
import { type AdmissionSubject, labelsOf } from './admission-subject.ts'
import { type Equivalents, formOf, type ResourceForm } from './equivalents.ts'
import { type AdmissionRule, matchesRule } from './match-rule.ts'

/** The part of a webhook, policy or binding that says which requests it is about. */
export interface MatchSpec {
  /** Absent: every request. */
  readonly rules?: readonly AdmissionRule[]
  readonly exclude?: readonly AdmissionRule[]
  /** Default `Equivalent`: a rule for one version of a resource is about all of them. */
  readonly matchPolicy?: string
  readonly namespaceSelector?: LabelSelector
  readonly objectSelector?: LabelSelector
}

/** Decides whether requests are matched, and in which form they are to be shown. Compiled once for each version of a configuration. */
export class RequestMatcher {
  readonly #spec: MatchSpec
  readonly #equivalents: Equivalents
  readonly #inNamespace: LabelPredicate | undefined
  readonly #ofObject: LabelPredicate | undefined

  /** Throws BadRequest for a selector that is none. */
  constructor(spec: MatchSpec, equivalents: Equivalents) {
    this.#spec = spec
    this.#equivalents = equivalents
    this.#inNamespace = isEmpty(spec.namespaceSelector) ? undefined : compileLabelSelector(spec.namespaceSelector)
    this.#ofObject = isEmpty(spec.objectSelector) ? undefined : compileLabelSelector(spec.objectSelector)
  }

  /** The form in which the matched request is to be shown: its own, or that which a rule names. Undefined when it is not matched. */
  match(subject: AdmissionSubject): ResourceForm | undefined {
    const form = this.#form(subject)
    if (form === undefined || this.#isExcluded(subject)) return undefined
    return this.#selectsNamespace(subject) && this.#selectsObject(subject) ? form : undefined
  }

  #form(subject: AdmissionSubject): ResourceForm | undefined {
    const { rules } = this.#spec
    if (rules === undefined || rules.some((rule) => matchesRule(rule, subject))) return subject.form
    return this.#isExact ? undefined : this.#others(subject).find((form) => rules.some((rule) => matchesRule(rule, shownIn(subject, form))))
  }

  #isExcluded(subject: AdmissionSubject): boolean {
    const { exclude = [] } = this.#spec
    if (exclude.length === 0) return false
    const forms = this.#isExact ? [subject.form] : [subject.form, ...this.#others(subject)]
    return forms.some((form) => exclude.some((rule) => matchesRule(rule, shownIn(subject, form))))
  }

  get #isExact(): boolean {
    return this.#spec.matchPolicy === 'Exact'
  }

  #others(subject: AdmissionSubject): readonly ResourceForm[] {
    return this.#equivalents
      .of(subject.served)
      .filter((served) => served.apiVersion !== subject.served.apiVersion)
      .map((served) => formOf(served, subject.subresource))
      .filter((form) => form !== undefined)
  }

  #selectsNamespace(subject: AdmissionSubject): boolean {
    if (this.#inNamespace === undefined) return true
    const labels = subject.namespaceLabels
    return labels === undefined || this.#inNamespace(labels)
  }

  /** Either of both: an object that loses its label is seen once more. */
  #selectsObject(subject: AdmissionSubject): boolean {
    const matches = this.#ofObject
    if (matches === undefined) return true
    return [subject.object, subject.oldObject].some((object) => object?.metadata !== undefined && matches(labelsOf(object)))
  }
}

const shownIn = (subject: AdmissionSubject, { resource }: ResourceForm) => ({
  operation: subject.operation,
  subresource: subject.subresource,
  namespace: subject.namespace,
  name: subject.name,
  resource,
})

const isEmpty = (selector: LabelSelector | undefined): boolean =>
  selector === undefined || (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0)
