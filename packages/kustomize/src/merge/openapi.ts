import { BuildError } from '../build-error.ts'
import type { TargetContext } from '../target/context.ts'
import { isMap } from '../value.ts'
import { compileOpenApi } from './schema.ts'

/** Takes the schema that the `openapi` field names. The first one of a build holds; the root is asked first. */
export function applyOpenApi(context: TargetContext): void {
  const { path, version } = context.kustomization.openapi ?? {}
  const loaded = path === undefined ? undefined : context.loader.load(path)
  if (context.schemas.isSet) return
  if (loaded !== undefined && version !== undefined) {
    throw new BuildError('conflict', 'builtin version and custom schema provided, cannot use both', {
      field: 'openapi',
    })
  }
  if (version !== undefined && version !== '') {
    if (version !== context.schemas.builtin.version) {
      const known = context.schemas.builtin.version
      throw new BuildError('not-supported', `the OpenAPI version ${version} is not built in; ${known} is`, {
        field: 'openapi.version',
      })
    }
    context.schemas.isSet = true
  }
  if (loaded === undefined) return
  const document = context.parser.configuration(loaded)
  if (!isMap(document))
    throw new BuildError('bad-value', 'the schema file is no OpenAPI document', { file: loaded.path })
  context.schemas.useCustom(compileOpenApi(document, loaded.path))
}
