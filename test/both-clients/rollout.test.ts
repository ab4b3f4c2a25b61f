import { rolloutSuite } from '../../packages/plugin-controllers/test/cluster/rollout-suite.ts'
import { overHttp } from './over-http.ts'

rolloutSuite(overHttp)
