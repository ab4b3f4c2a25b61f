import { rolloutSuite } from './rollout-suite.ts'

rolloutSuite()
