import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

/** Every link from a page of the project to a file of the project leads somewhere. */

const root = join(import.meta.dirname, '..')
const pages = globSync('**/*.md', { cwd: root, exclude: ['**/node_modules/**', '**/testdata/**'] })

test('no page has a link that leads nowhere', () => {
  const dead = pages.flatMap((page) => linksOf(page).map((link) => ({ page, link }))).filter(leadsNowhere)
  expect(pages).toContain('README.md')
  expect(dead).toEqual([])
})

function linksOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/\]\(([^)#\s]+)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^\w+:/.test(link))
}

const leadsNowhere = ({ page, link }: { page: string; link: string }): boolean =>
  !existsSync(join(root, dirname(page), link))
