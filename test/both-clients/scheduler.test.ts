import { schedulerSuite } from '../../packages/plugin-scheduler/test/cluster/scheduler-suite.ts'
import { overHttp } from './over-http.ts'

schedulerSuite(overHttp)
