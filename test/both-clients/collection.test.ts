import { collectionSuite } from '../../packages/plugin-controllers/test/cluster/collection-suite.ts'
import { overHttp } from './over-http.ts'

collectionSuite(overHttp)
