export { restoreGap } from '@continuo/core'
export { SqliteStore, type SqliteStoreOptions } from './sqlite-store.ts'
export { storeSqlite, storeSqlite as default, storeSqliteConfig } from './store-sqlite.ts'
