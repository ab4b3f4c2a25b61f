import { KubeConfig } from '@kubernetes/client-node'
import { Operator } from './operator.ts'

const config = new KubeConfig()
// $KUBECONFIG or ~/.kube/config on a machine; in a pod its service account.
config.loadFromDefault()
await new Operator(config).start()
console.log(`websites are watched at ${config.getCurrentCluster()?.server}`)
