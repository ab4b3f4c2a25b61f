import { createServer } from 'node:net'
import { join } from 'node:path'
import { ApiException, CoreV1Api, KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'

/** A reference cluster of its own process, and a stock client that has read its kubeconfig. */
export interface StockCluster {
  readonly config: KubeConfig
  readonly core: CoreV1Api
  readonly objects: KubernetesObjectApi
  readonly kubeconfig: string
  readonly dataDir: string
  /** The errors that it has logged. */
  faults(): readonly string[]
  /** Ends the cluster as a power cut would, and starts it anew on the same data and port. */
  crash(): Promise<void>
  stop(): Promise<void>
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

export async function startStockCluster(options: { readonly config?: string } = {}): Promise<StockCluster> {
  const directory = await dataDirectory('client-node')
  const listen = `127.0.0.1:${await freePort()}`
  const start = (): Promise<ClusterProcess> => startProcess({ dataDir: join(directory.path, 'data'), listen, ...options })
  let process = await start()
  const output: string[] = []
  const config = new KubeConfig()
  config.loadFromFile(process.kubeconfig)
  return {
    config,
    core: config.makeApiClient(CoreV1Api),
    objects: KubernetesObjectApi.makeApiClient(config),
    kubeconfig: process.kubeconfig,
    dataDir: process.dataDir,
    faults: () => [...output, process.output()].flatMap((text) => text.split('\n').filter((line) => line.startsWith('{"level":50'))),
    async crash() {
      output.push(process.output())
      await process.kill()
      process = await start()
    },
    async stop() {
      await process.interrupt()
      await directory.remove()
    },
  }
}

/** What the API answered when it refused: the status code and the Status of its body. */
export async function refusal(request: Promise<unknown>): Promise<{ code: number; reason: string; message: string; causes: unknown }> {
  try {
    await request
  } catch (error) {
    if (!(error instanceof ApiException)) throw error
    const status = typeof error.body === 'string' ? JSON.parse(error.body) : error.body
    return { code: error.code, reason: status.reason, message: status.message, causes: status.details?.causes }
  }
  throw new Error('the request was not refused')
}
