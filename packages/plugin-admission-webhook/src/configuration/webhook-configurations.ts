import type { AdmissionReader, DeepReadonly, Kind, KubeObject } from '@continuo/core'
import { type Equivalents, MatchConditions, RequestMatcher } from '@continuo/lib-admission'
import type { MutatingWebhookConfiguration, ValidatingWebhookConfiguration } from '@continuo/workload'
import { conditionEnvironment } from './check-conditions.ts'
import type { Webhook } from './webhook.ts'

type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration

interface Compiled {
  readonly resourceVersion: string
  readonly webhooks: readonly Webhook[]
}

const none: readonly Webhook[] = []

/**
 * The webhooks of all configurations of one kind, in the order in which they are asked: by name of the configuration, then as they stand in it.
 * They are read as of the request's beginning, so a configuration counts from the moment of its creation, on every replica.
 */
export class WebhookConfigurations {
  readonly #kind: Kind<KubeObject>
  readonly #equivalents: Equivalents
  /** By name; what is gone is dropped with the next reading. */
  #compiled = new Map<string, Compiled>()

  constructor(kind: Kind<MutatingWebhookConfiguration> | Kind<ValidatingWebhookConfiguration>, equivalents: Equivalents) {
    this.#kind = kind as unknown as Kind<KubeObject>
    this.#equivalents = equivalents
  }

  webhooks(read: AdmissionReader): readonly Webhook[] {
    const configurations = read.list(this.#kind) as readonly DeepReadonly<Configuration>[]
    if (configurations.length === 0) return none
    const compiled = new Map<string, Compiled>()
    for (const configuration of [...configurations].sort(byName)) {
      const { name, resourceVersion = '' } = configuration.metadata
      const known = this.#compiled.get(name)
      compiled.set(name, known?.resourceVersion === resourceVersion ? known : { resourceVersion, webhooks: this.#compile(configuration) })
    }
    this.#compiled = compiled
    return [...compiled.values()].flatMap(({ webhooks }) => webhooks)
  }

  #compile({ metadata, webhooks }: DeepReadonly<Configuration>): readonly Webhook[] {
    return (webhooks ?? []).map((settings, index) => ({
      id: `${metadata.name}/${settings.name}/${index}`,
      configuration: metadata.name,
      settings,
      matcher: new RequestMatcher({ ...settings, rules: settings.rules ?? [] }, this.#equivalents),
      conditions: new MatchConditions(settings.matchConditions ?? [], conditionEnvironment),
    }))
  }
}

const byName = (a: DeepReadonly<KubeObject>, b: DeepReadonly<KubeObject>): number => (a.metadata.name < b.metadata.name ? -1 : 1)
