import { isDeepStrictEqual } from 'node:util'
import {
  AppsV1Api,
  CustomObjectsApi,
  type Informer,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  makeInformer,
  type ObjectCache,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Deployment,
  type V1Service,
} from '@kubernetes/client-node'
import { desired, finalizer, group, label, plural, statusOf, version, type Website, type WebsiteList } from './website.ts'
import { WorkQueue } from './work-queue.ts'

const manager = 'website-operator'
const directory = { name: 'directory', namespace: 'website-operator' }
const mergePatch = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)

const keyOf = (object: KubernetesObject, name = object.metadata?.name): string => `${object.metadata?.namespace}/${name}`

/** Makes each Website a Deployment and a Service, lists it in the directory, and cleans up after it. */
export class Operator {
  readonly #custom: CustomObjectsApi
  readonly #objects: KubernetesObjectApi
  readonly #websites: Informer<Website> & ObjectCache<Website>
  readonly #deployments: Informer<V1Deployment> & ObjectCache<V1Deployment>
  readonly #queue = new WorkQueue((key) => this.#reconcile(key))

  constructor(config: KubeConfig) {
    this.#custom = config.makeApiClient(CustomObjectsApi)
    this.#objects = KubernetesObjectApi.makeApiClient(config)
    const apps = config.makeApiClient(AppsV1Api)
    this.#websites = makeInformer<Website>(
      config,
      `/apis/${group}/${version}/${plural}`,
      () => this.#custom.listCustomObjectForAllNamespaces({ group, version, resourcePlural: plural }) as Promise<WebsiteList>,
    )
    this.#deployments = makeInformer(
      config,
      '/apis/apps/v1/deployments',
      () => apps.listDeploymentForAllNamespaces({ labelSelector: label }),
      label,
    )
  }

  /** Resolves when it watches; from then on it goes on by itself, whatever happens to the API. */
  async start(): Promise<void> {
    this.#websites.on('change', (website) => this.#queue.add(keyOf(website)))
    this.#deployments.on('change', (deployment) => this.#queue.add(keyOf(deployment, deployment.metadata?.labels?.[label])))
    for (const informer of [this.#deployments, this.#websites]) {
      informer.on('error', () => setTimeout(() => void informer.start(), 1_000))
      await informer.start()
    }
  }

  async #reconcile(key: string): Promise<void> {
    const [namespace = '', name = ''] = key.split('/')
    const website = this.#websites.get(name, namespace)
    if (website === undefined) return
    if (website.metadata?.deletionTimestamp !== undefined) return this.#cleanUp(website)
    // First the promise to clean up, then what has to be cleaned up.
    if (!website.metadata?.finalizers?.includes(finalizer))
      return this.#setFinalizers(website, [...(website.metadata?.finalizers ?? []), finalizer])
    const [deployment, service] = desired(website)
    await this.#apply(deployment)
    const served = await this.#apply<V1Service>(service)
    await this.#list(website, served.spec?.clusterIP ?? '')
    const status = statusOf(website, this.#deployments.get(name, namespace), served)
    if (isDeepStrictEqual(status, website.status)) return
    await this.#custom.patchNamespacedCustomObjectStatus(
      { group, version, plural, namespace, name, fieldManager: manager, body: { status } },
      mergePatch,
    )
  }

  async #cleanUp(website: Website): Promise<void> {
    const finalizers = website.metadata?.finalizers ?? []
    if (!finalizers.includes(finalizer)) return
    await this.#list(website, null)
    await this.#setFinalizers(
      website,
      finalizers.filter((one) => one !== finalizer),
    )
  }

  /** Refused when the website has changed since: the next event brings it here again. */
  async #setFinalizers(website: Website, finalizers: readonly string[]): Promise<void> {
    const { name = '', namespace = '', resourceVersion } = website.metadata ?? {}
    await this.#custom.patchNamespacedCustomObject(
      { group, version, plural, namespace, name, fieldManager: manager, body: { metadata: { resourceVersion, finalizers } } },
      mergePatch,
    )
  }

  #apply<T extends KubernetesObject>(object: T): Promise<T> {
    return this.#objects.patch<T>(object, undefined, undefined, manager, true, PatchStrategy.ServerSideApply)
  }

  /** Sets or removes (null) the address of a website in the directory. */
  async #list(website: Website, address: string | null): Promise<void> {
    const entry = `${website.metadata?.namespace}.${website.metadata?.name}`
    const patch = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...directory }, data: { [entry]: address } }
    await this.#objects.patch(patch as V1ConfigMap, undefined, undefined, manager, undefined, PatchStrategy.MergePatch)
  }
}
