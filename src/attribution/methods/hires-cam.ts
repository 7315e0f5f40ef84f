/** @file HiResCAM (Draelos, Carin, 2020, arXiv 2011.08891): gradient times activation, element by element. */
import { type CamWeights, camEntry } from '../primitives/cam.ts';

/** w_nd = G_nd. */
export const hiresCamWeights: CamWeights =
  ({ gradients, width }) =>
  (n, d) =>
    gradients[n * width + d];

/** HiResCAM: gradient times activation, element by element. */
export const hiresCam = camEntry({
  name: 'hires-cam',
  title: 'HiResCAM',
  paper: 'Draelos, Carin: Use HiResCAM instead of Grad-CAM for faithful explanations, 2020, arXiv 2011.08891',
  weights: hiresCamWeights,
});
