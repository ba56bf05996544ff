import { expect, test } from 'vitest'
import { guardedLookup, isLinkLocal } from './link-local.ts'

test.each([
  ['169.254.169.254', true],
  ['[fe80::1]', true],
  ['::ffff:169.254.169.254', true],
  ['fd00:ec2::254', true],
  ['127.0.0.1', false],
  ['10.0.0.1', false],
  ['[::1]', false],
  ['example.com', false],
])('%s is link-local: %s', (host, answer) => expect(isLinkLocal(host)).toBe(answer))

test('a name is resolved; what stands for a link-local address is refused', async () => {
  const resolve = (name: string) =>
    new Promise((done, fail) =>
      guardedLookup(name, { all: false }, (error, found) => (error === null ? done(found) : fail(error))),
    )
  expect(await resolve('localhost')).toMatch(/^(127\.|::1)/)
  await expect(resolve('169.254.169.254')).rejects.toThrow('link-local address')
})
