import { servicesSuite } from './services-suite.ts'

servicesSuite()
