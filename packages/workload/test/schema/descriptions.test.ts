import { expect, it } from 'vitest'
import { definitionNames, loadDescriptions } from '../../src/index.ts'

it('describes every definition and most of their properties', async () => {
  const descriptions = await loadDescriptions()
  expect(Object.keys(descriptions).sort()).toEqual([...definitionNames()].sort())
  expect(descriptions['io.k8s.api.apps.v1.DeploymentSpec']?.[1].replicas).toContain('Number of desired pods')
  const properties = Object.values(descriptions).reduce((sum, [, own]) => sum + Object.keys(own).length, 0)
  expect(properties).toBeGreaterThan(2000)
})
