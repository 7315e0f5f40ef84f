/** @file Grad-CAM++ (Chattopadhay et al., WACV 2018, arXiv 1710.11063): positive gradients weighed by how much each place needs them. */
import { type CamWeights, camEntry, perChannel } from '../primitives/cam.ts';

/** w_d = Σ max(0, G) · G² / (2G² + ΣA · G³) over players, equation 19 with exp for the outer function. */
export const gradCamPlusPlusWeights: CamWeights = state =>
  perChannel(state, (_, values) => {
    const total = values.reduce((sum, { a }) => sum + a, 0);
    return values.reduce((sum, { g }) => sum + (g > 0 ? (g * g * g) / (2 * g * g + total * g * g * g + 1e-6) : 0), 0);
  });

/** Grad-CAM++. */
export const gradCamPlusPlus = camEntry({
  name: 'grad-cam-plus-plus',
  title: 'Grad-CAM++',
  paper: 'Chattopadhay et al.: Grad-CAM++, WACV 2018, arXiv 1710.11063',
  weights: gradCamPlusPlusWeights,
});
