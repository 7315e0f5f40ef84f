/** @file Grad-CAM (Selvaraju et al., ICCV 2017, arXiv 1610.02391): channels weighed by the mean of their gradient. */
import { type CamWeights, camEntry, perChannel } from '../primitives/cam.ts';

/** w_d = mean over players of G. */
export const gradCamWeights: CamWeights = state =>
  perChannel(state, (_, values) => values.reduce((sum, { g }) => sum + g, 0) / values.length);

/** Grad-CAM: channels of the layer in front of the last attention, each weighed by its mean gradient. */
export const gradCam = camEntry({
  name: 'grad-cam',
  title: 'Grad-CAM',
  paper: 'Selvaraju et al.: Grad-CAM, ICCV 2017, arXiv 1610.02391',
  weights: gradCamWeights,
});
