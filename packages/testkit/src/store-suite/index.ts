export { type BrokenStore, brokenStores } from './broken-stores.ts'
export { type OpenedStore, runStoreCheck, type StoreCheck } from './store-check.ts'
export { storeChecks, storeSuite } from './store-suite.ts'
