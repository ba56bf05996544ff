import { expect, it } from 'vitest'
import { parseLabelSelector } from './label-selector.ts'

const labels = new Map([
  ['app', 'web'],
  ['size', '5'],
])

it.each([
  ['', true],
  ['app=web', true],
  ['app == web, size!=6', true],
  ['app!=web', false],
  ['app', true],
  ['!app', false],
  ['!other', true],
  ['app in (api, web)', true],
  ['app notin (api,web)', false],
  ['other notin (a)', true],
  ['size>4,size<6', true],
  ['other>4', false],
])('the selector %j matches: %s', (selector, matches) => {
  expect(parseLabelSelector(selector)(labels)).toBe(matches)
})

it.each(['a=b=c', 'app in web', 'size>big', 'app,', '-x=y'])('the selector %j is refused', (selector) => {
  expect(() => parseLabelSelector(selector)).toThrow(/cannot read the selector/)
})
