/** A template that cannot be read or run. The message names the place, never the data. */
export class TemplateError extends Error {
  override name = 'TemplateError'
}
