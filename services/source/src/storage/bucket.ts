/** The bucket of the object store that holds what artifacts are made of. */
export const ARTIFACT_BUCKET = 'setpoint-artifact'
