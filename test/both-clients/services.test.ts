import { servicesSuite } from '../../packages/plugin-controllers/test/cluster/services-suite.ts'
import { overHttp } from './over-http.ts'

servicesSuite(overHttp)
