const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})$/
const TIME =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt]|\s+)(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9})\d*)?\s*(Z|[+-]\d{2}:\d{2})?$/

/** The text that Go gives to a plain YAML scalar that it takes for a time; undefined when it takes it for none. */
export function rfc3339(text: string): string | undefined {
  const date = DATE.exec(text)
  if (date !== null) return `${day(date)}T00:00:00Z`
  const time = TIME.exec(text)
  if (time === null) return undefined
  const [hour, minute, second, fraction = '', zone = 'Z'] = time.slice(4)
  const digits = fraction.replace(/0+$/, '')
  const clock = [hour, minute, second].map(two).join(':')
  return `${day(time)}T${clock}${digits === '' ? '' : `.${digits}`}${zone}`
}

const day = ([, year, month, date]: RegExpExecArray): string => `${year}-${two(month)}-${two(date)}`
const two = (text = ''): string => text.padStart(2, '0')
