import { expect, it } from 'vitest'
import { splitImage } from './images.ts'

it.each([
  ['nginx', 'nginx', '', ''],
  ['nginx:1.0', 'nginx', '1.0', ''],
  ['reg.io:5000/app', 'reg.io:5000/app', '', ''],
  ['reg.io:5000/app:v1@sha256:abc', 'reg.io:5000/app', 'v1', 'sha256:abc'],
  ['app@sha256:abc', 'app', '', 'sha256:abc'],
])('the image %s has a name, a tag and a digest', (text, name, tag, digest) => {
  expect(splitImage(text)).toEqual({ name, tag, digest })
})
