import { expect, test } from 'vitest'
import { ConfigError, helpText, listenAddress, oneOf, readConfig, text, wholeNumber } from './config.ts'

const settings = {
  'storage-path': { description: 'Where the cache lives', default: '/data', parse: text },
  workers: { description: 'How many at once', default: '4', parse: wholeNumber(1, 64) },
  mode: { description: 'How', parse: oneOf('a', 'b') },
} as const

test('a flag wins over the environment, which wins over the default', () => {
  const env = { SETPOINT_STORAGE_PATH: '/env', SETPOINT_WORKERS: '8' }
  expect(readConfig(settings, ['--storage-path', '/flag'], env)).toEqual({
    'storage-path': '/flag',
    workers: 8,
  })
})

test('every unusable setting is reported at once, by where it was given', () => {
  const read = () => readConfig(settings, ['--mode=c'], { SETPOINT_WORKERS: 'many' })
  expect(read).toThrow(ConfigError)
  expect(read).toThrow('SETPOINT_WORKERS must be a whole number from 1 to 64, not "many"')
  expect(read).toThrow('--mode must be one of a, b, not "c"')
})

test('an unknown flag is refused', () => {
  expect(() => readConfig(settings, ['--colour', 'red'], {})).toThrow('--colour')
})

test('a listen address without a host listens everywhere, and a bad port is refused', () => {
  expect(listenAddress(':8080')).toEqual({ host: '0.0.0.0', port: 8080 })
  expect(listenAddress('[::1]:0')).toEqual({ host: '::1', port: 0 })
  expect(() => listenAddress('8080')).toThrow('host:port')
  expect(() => listenAddress(':70000')).toThrow('host:port')
})

test('help names each flag with its variable and default', () => {
  expect(helpText('source', settings)).toContain(
    '--storage-path\n      Where the cache lives (default /data)\n      environment: SETPOINT_STORAGE_PATH',
  )
})

test('a variable that other programs know is read after its own, and counts for nothing when it is empty', () => {
  const endpoint = { endpoint: { description: 'Where', variable: 'OTEL_ENDPOINT', parse: text } }
  expect(readConfig(endpoint, [], { OTEL_ENDPOINT: 'theirs' })).toEqual({ endpoint: 'theirs' })
  expect(readConfig(endpoint, [], { OTEL_ENDPOINT: 'theirs', SETPOINT_ENDPOINT: 'own' })).toEqual({
    endpoint: 'own',
  })
  expect(readConfig(endpoint, [], { OTEL_ENDPOINT: '' })).toEqual({})
  expect(helpText('source', endpoint)).toContain('environment: SETPOINT_ENDPOINT, OTEL_ENDPOINT')
})

test('a secret is taken from the environment and has no flag', () => {
  const password = { password: { description: 'Password', secret: true, parse: text } } as const
  expect(readConfig(password, [], { SETPOINT_PASSWORD: 'hunter2' })).toEqual({ password: 'hunter2' })
  expect(() => readConfig(password, ['--password', 'hunter2'], {})).toThrow(ConfigError)
  expect(helpText('source', password)).not.toContain('--password')
})
