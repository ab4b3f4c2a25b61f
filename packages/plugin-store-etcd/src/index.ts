export { EtcdStore, type EtcdStoreOptions, type Observed } from './etcd-store.ts'
export { storeEtcd, storeEtcd as default, storeEtcdConfig } from './store-etcd.ts'
