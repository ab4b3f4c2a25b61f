import type { AdmissionRequest } from '@continuo/core'
import { expect, it } from 'vitest'
import { Reinvocation } from '../src/index.ts'

interface Round {
  isReinvocation: boolean
  object: { value: number }
  asked: number
  reinvoke(): void
}

const newRequest = (): AdmissionRequest & Round => {
  const request: Round = {
    isReinvocation: false,
    object: { value: 0 },
    asked: 0,
    reinvoke() {
      request.asked += 1
    },
  }
  return request as AdmissionRequest & Round
}

const second = (request: Round): void => {
  request.isReinvocation = true
}

it('asks again those that wanted it and after whom something changed, and nobody for the first time', () => {
  const request = newRequest()
  const rounds = new Reinvocation()
  rounds.begin(request)
  rounds.asked(request, 'early', { changed: false, wantsAgain: true })
  rounds.asked(request, 'once', { changed: false, wantsAgain: false })
  rounds.asked(request, 'changes', { changed: true, wantsAgain: true })
  rounds.end(request)
  expect(request.asked).toBe(1)
  second(request)
  rounds.begin(request)
  expect(['early', 'once', 'changes', 'new'].filter((id) => rounds.isDue(request, id))).toEqual(['early'])
})

it('asks all that wanted it again when somebody else changed the object between the rounds', () => {
  const request = newRequest()
  const rounds = new Reinvocation()
  rounds.begin(request)
  rounds.asked(request, 'last', { changed: true, wantsAgain: true })
  rounds.end(request)
  request.object.value = 1
  second(request)
  rounds.begin(request)
  expect(rounds.isDue(request, 'last')).toBe(true)
})
