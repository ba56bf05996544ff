export { holdsMarker, isSetterFile, type SetImage, type SetImages, setImages } from './set-images.ts'
export type { SetterChange, SetterObject, SetterProblem, SetterResult } from './types.ts'
