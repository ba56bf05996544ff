import { parseXml, XmlElement } from '@rgrove/parse-xml'

/** The element that an answer is; undefined when it is no XML. */
export function rootOf(body: Buffer): XmlElement | undefined {
  try {
    // Azure begins with a byte order mark.
    return parseXml(body.toString('utf8').replace(/^\uFEFF/, '')).root ?? undefined
  } catch {
    return undefined
  }
}

export function childrenOf(element: XmlElement | undefined, name: string): XmlElement[] {
  return (element?.children ?? []).filter(
    (child) => child instanceof XmlElement && child.name === name,
  ) as XmlElement[]
}

export const textOf = (element: XmlElement | undefined, name: string): string =>
  childrenOf(element, name)[0]?.text ?? ''

/** The code of `<Error><Code>`; undefined when the answer holds none. */
export function xmlErrorCode(body: Buffer): string | undefined {
  const root = rootOf(body)
  const code = root?.name === 'Error' ? textOf(root, 'Code') : ''
  return /^[A-Za-z]{1,60}$/.test(code) ? code : undefined
}
