import ignore from 'ignore'

/** Says which files do not belong in an artifact. */
export interface Ignore {
  /** True when the file, or a directory above it, is left out. The path is relative to the root, without a slash first. */
  excludes(path: string): boolean
}

export interface IgnoreOptions {
  /** The `.sourceignore` files of the repository: path, such as `apps/.sourceignore`, and content. */
  files: readonly { path: string; content: string }[]
  /** spec.ignore. */
  spec?: string | undefined
  /** Only these patterns: neither Flux's own nor the defaults. */
  onlyGiven?: boolean
}

/** The name of the files with patterns. */
export const SOURCE_IGNORE = '.sourceignore'

const ALWAYS = ['.git/', '.gitignore', '.gitmodules', '.gitattributes']
const DEFAULTS = [
  ...['*.jpg', '*.jpeg', '*.gif', '*.png', '*.wmv', '*.flv', '*.tar.gz', '*.zip'],
  ...['.github/', '.circleci/', '.travis.yml', '.gitlab-ci.yml', 'appveyor.yml', '.drone.yml'],
  ...['cloudbuild.yaml', 'codeship-services.yml', 'codeship-steps.yml'],
  ...['**/.goreleaser.yml', '**/.sops.yaml', '**/.flux.yaml'],
]

/**
 * Flux's rules: its own patterns first, then every `.sourceignore` (for its directory only), then spec.ignore,
 * which wins. The defaults apply only when nobody wrote a pattern.
 */
export function compileIgnore({ files, spec, onlyGiven = false }: IgnoreOptions): Ignore {
  const fromFiles = [...files]
    .sort(byDepth)
    .flatMap(({ path, content }) => scoped(directoryOf(path), content))
  const fromSpec = patternsOf(spec ?? '')
  const defaults = fromFiles.length + fromSpec.length === 0 ? DEFAULTS : []
  const own = onlyGiven ? [] : [...ALWAYS, ...defaults]
  const rules = [...own, ...fromFiles, ...fromSpec].map(toRule).reverse()
  return { excludes: (path) => rules.find((rule) => rule.matches(path))?.excludes ?? false }
}

interface Rule {
  excludes: boolean
  matches(path: string): boolean
}

/**
 * One pattern by itself: Flux lets the last pattern win that matches the file or a directory above it.
 * Git differs: there a file below an excluded directory cannot be taken back in.
 */
function toRule(pattern: string): Rule {
  const negated = pattern.startsWith('!')
  const matcher = ignore({ ignorecase: false }).add(negated ? pattern.slice(1) : pattern)
  return { excludes: !negated, matches: (path) => matcher.ignores(path) }
}

function patternsOf(content: string): string[] {
  return content
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
}

/** The patterns of a file in a directory, written so that they mean the same from the root. */
function scoped(directory: string, content: string): string[] {
  const patterns = patternsOf(content)
  if (directory === '') return patterns
  const prefix = directory.replaceAll(/[\\*?[\]!# ]/g, '\\$&')
  return patterns.map((pattern) => {
    const negated = pattern.startsWith('!')
    const body = negated ? pattern.slice(1) : pattern
    const anchored = body.replace(/\/+$/, '').includes('/')
    const below = anchored ? body.replace(/^\//, '') : `**/${body}`
    return `${negated ? '!' : ''}/${prefix}/${below}`
  })
}

function directoryOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}

const byDepth = (a: { path: string }, b: { path: string }): number =>
  a.path.split('/').length - b.path.split('/').length
