/**
 * `[offset]` or `[offset, length]` in bytes of UTF-8. A negative offset counts from the end; a negative length leaves
 * out that many bytes at the end. The whole value when a number cannot be read. A cut through a character yields a
 * lone surrogate, which the caller refuses.
 */
export function substringOfBytes(value: string, [offsetText = '', lengthText]: string[]): string {
  const offset = wholeNumber(offsetText)
  const length = lengthText === undefined ? Number.MAX_SAFE_INTEGER : wholeNumber(lengthText)
  if (offset === undefined || length === undefined) return value
  const bytes = new TextEncoder().encode(value)
  const start = offset < 0 ? Math.max(bytes.length + offset, 0) : offset
  const end = length < 0 ? bytes.length + length : start + length
  return end <= start ? '' : decode(bytes.subarray(start, end))
}

function wholeNumber(text: string): number | undefined {
  if (!/^[-+]?\d+$/.test(text)) return undefined
  const number = Number(text)
  return Math.abs(number) < 2 ** 63 ? number : undefined
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return '\ud800'
  }
}
