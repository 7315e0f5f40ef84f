/** @file `narrows/shifts`: corruptions of pictures and perturbations of texts, by name, severity, seed and sample. */
export type { RgbImage } from '../inputs/image/rgb-image.ts';
export { type Draw, shiftImage, shiftText } from '../shifts/apply.ts';
export { imageShifts, textShifts } from '../shifts/registry.ts';
export type { ImageShift, ImageShiftOptions, TextShift, TextShiftOptions } from '../shifts/shift.ts';
