import { collectionSuite } from './collection-suite.ts'

collectionSuite()
