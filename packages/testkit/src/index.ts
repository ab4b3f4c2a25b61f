export * from './clock/virtual-clock.ts'
export * from './random/seeded-random.ts'
export * from './store-suite/index.ts'
export * from './runtime/simulated-runtime.ts'
