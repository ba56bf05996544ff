export { holdsMarker, isSetterFile, type SetImages, setImages } from './set-images.ts'
export type { SetterChange, SetterObject, SetterProblem, SetterResult } from './types.ts'
