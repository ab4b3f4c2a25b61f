export * from './clock/virtual-clock.ts'
export * from './random/seeded-random.ts'
export * from './store-suite/index.ts'
