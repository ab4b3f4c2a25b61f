import { describe, expect, it } from 'vitest'
import { chooseImages } from '../src/images/choose-images.ts'

const image = (id: string, bytes = 100, pulled = true) => ({ id, bytes, pulled })
const need = (more: Partial<Parameters<typeof chooseImages>[1]> = {}) => ({
  bytesToFree: 150,
  inUse: new Set<string>(),
  lastUsed: new Map([
    ['old', 0],
    ['older', -10],
    ['new', 900],
  ]),
  now: 1_000,
  minAgeMs: 200,
  ...more,
})

describe('images to remove', () => {
  it('begins with the longest unused, and takes no more than needed', () => {
    const images = [image('old'), image('older'), image('oldest-unknown')]
    expect(chooseImages(images, need())).toEqual(['older', 'old'])
    expect(chooseImages(images, need({ bytesToFree: 100 }))).toEqual(['older'])
    expect(chooseImages(images, need({ bytesToFree: 0 }))).toEqual([])
  })

  it('keeps what is used, what is young, and what cannot be pulled again', () => {
    expect(chooseImages([image('old'), image('new'), image('older', 100, false)], need({ inUse: new Set(['old']) }))).toEqual([])
  })
})
