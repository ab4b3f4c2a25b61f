import { agentSuite } from '../../packages/plugin-node/test/agent/agent-suite.ts'
import { overHttp } from './over-http.ts'

agentSuite(overHttp)
