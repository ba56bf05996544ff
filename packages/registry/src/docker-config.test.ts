import { describe, expect, it } from 'vitest'
import { parseDockerConfig } from './docker-config.ts'
import { parseImageName } from './image-name.ts'

const basic = (text: string) => ({ auth: Buffer.from(text).toString('base64') })
const find = (auths: object, image: string) =>
  parseDockerConfig(JSON.stringify({ auths })).find(parseImageName(image))

describe('credentials of a Docker configuration', () => {
  it.each([
    ['a host', 'ghcr.io', 'ghcr.io/team/app'],
    ['an address with a scheme', 'https://ghcr.io', 'ghcr.io/team/app'],
    ['Docker Hub by its old address', 'https://index.docker.io/v1/', 'nginx'],
    ['Docker Hub by its name', 'docker.io', 'team/app'],
    ['a path', 'ghcr.io/team', 'ghcr.io/team/app'],
    ['every name below a domain', '*.example.com', 'eu.example.com/app'],
    ['a port', 'localhost:5000', 'localhost:5000/app'],
  ])('are found by %s', (_what, address, image) => {
    expect(find({ [address]: basic('ada:a:b') }, image)).toEqual({ username: 'ada', password: 'a:b' })
  })

  it('are not given to another host or path', () => {
    expect(find({ 'ghcr.io': basic('ada:a') }, 'ghcr.io.example.com/app')).toBeUndefined()
    expect(find({ 'ghcr.io/team': basic('ada:a') }, 'ghcr.io/teammate/app')).toBeUndefined()
  })

  it('are those of the longest path', () => {
    const auths = { 'ghcr.io': basic('all:x'), 'ghcr.io/team': basic('team:x') }
    expect(find(auths, 'ghcr.io/team/app')).toMatchObject({ username: 'team' })
  })

  it.each([
    ['{', 'is not JSON'],
    ['{}', 'has no field "auths"'],
    [JSON.stringify({ auths: { 'ghcr.io': { auth: 'c2VjcmV0' } } }), '"ghcr.io"'],
  ])('%s is refused without being shown', (text, says) => {
    expect(() => parseDockerConfig(text)).toThrow(says)
    expect(() => parseDockerConfig(text)).not.toThrow('secret')
  })
})

describe('names of images', () => {
  it.each([
    ['nginx', 'index.docker.io/library/nginx'],
    ['team/app', 'index.docker.io/team/app'],
    ['docker.io/team/app', 'index.docker.io/team/app'],
    ['ghcr.io/team/app', 'ghcr.io/team/app'],
    ['localhost:5000/app', 'localhost:5000/app'],
    ['localhost/app', 'localhost/app'],
  ])('%s is %s', (text, canonical) => {
    expect(parseImageName(text).canonical).toBe(canonical)
  })

  it.each([
    ['https://ghcr.io/app', 'remove "https://"'],
    ['ghcr.io/app:1.0', 'remove ":1.0"'],
    ['nginx@sha256:abc', 'digest'],
    ['ghcr.io/App', 'is no name of an image'],
    ['ghcr.io/../app', 'is no name of an image'],
    ['', 'is no name of an image'],
    ['bad host.io/app', 'is no host'],
  ])('%s is refused', (text, says) => {
    expect(() => parseImageName(text)).toThrow(says)
  })
})
