import { RE2JS } from 're2js'
import { PolicyError } from './errors.ts'

/** What of a tag is compared; undefined when the tag does not match. */
export type TagFilter = (tag: string) => string | undefined

const MAX_PATTERN = 1_000

/**
 * The filter of spec.filterTags: an RE2 pattern, whose time is linear in the tag, and what of the match to take.
 * @throws PolicyError when the pattern does not compile.
 */
export function compileFilter(pattern = '', extract = ''): TagFilter {
  const expression = compilePattern(pattern, 'filterTags.pattern')
  return (tag) => {
    const matcher = expression.matcher(tag)
    if (!matcher.find()) return undefined
    if (extract === '') return tag
    const group = (name: string): string => {
      if (/^\d+$/.test(name))
        return Number(name) <= matcher.groupCount() ? (matcher.group(Number(name)) ?? '') : ''
      return name in expression.namedGroups() ? (matcher.group(name) ?? '') : ''
    }
    return expand(extract, group)
  }
}

/** @throws PolicyError naming the field when the text is no RE2 expression. */
export function compilePattern(pattern: string, field: string): RE2JS {
  if (pattern.length > MAX_PATTERN) throw new PolicyError(`${field} is longer than ${MAX_PATTERN} characters`)
  try {
    return RE2JS.compile(pattern)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PolicyError(`${field} "${pattern}" is no regular expression: ${reason}`, { cause })
  }
}

/** As Go's Regexp.Expand: `$name` takes all letters, digits and underscores that follow, `${name}` what is inside. */
function expand(template: string, group: (name: string) => string): string {
  return template.replaceAll(/\$(?:(\$)|\{(\w+)\}|(\w+))/g, (_all, dollar, braced, plain) =>
    dollar === undefined ? group(braced ?? plain) : '$',
  )
}

/**
 * Says whether a text matches one of several RE2 patterns somewhere.
 * @throws PolicyError naming the field when one does not compile.
 */
export function compilePatterns(patterns: readonly string[], field: string): (text: string) => boolean {
  const compiled = patterns.map((pattern) => compilePattern(pattern, field))
  return (text) => compiled.some((expression) => expression.matcher(text).find())
}
