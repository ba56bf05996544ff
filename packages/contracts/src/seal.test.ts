import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { SealError, seal, unseal } from './seal.ts'

const key = randomBytes(32)
const plain = Buffer.from('password: hunter2')

test('what was sealed can be opened, and shows nothing of its content', () => {
  const sealed = Buffer.from(seal(key, plain, 'apps/web'))
  expect(sealed.includes('hunter2')).toBe(false)
  expect(Buffer.from(unseal(key, sealed, 'apps/web'))).toEqual(plain)
})

test('another key, another context or a changed byte is refused', () => {
  const sealed = Buffer.from(seal(key, plain, 'apps/web'))
  expect(() => unseal(randomBytes(32), sealed, 'apps/web')).toThrow(SealError)
  expect(() => unseal(key, sealed, 'apps/api')).toThrow(SealError)
  sealed[20] = (sealed[20] ?? 0) ^ 1
  expect(() => unseal(key, sealed, 'apps/web')).toThrow(SealError)
  expect(() => unseal(key, Buffer.alloc(3), 'apps/web')).toThrow(SealError)
})
