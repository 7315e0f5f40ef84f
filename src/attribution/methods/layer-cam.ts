/** @file LayerCAM (Jiang et al., TIP 2021): positive gradients times activations, element by element. */
import { type CamWeights, camEntry } from '../primitives/cam.ts';

/** w_nd = max(0, G_nd). */
export const layerCamWeights: CamWeights =
  ({ gradients, width }) =>
  (n, d) =>
    Math.max(0, gradients[n * width + d]);

/** LayerCAM: positive gradients times activations. */
export const layerCam = camEntry({
  name: 'layer-cam',
  title: 'LayerCAM',
  paper: 'Jiang et al.: LayerCAM: exploring hierarchical class activation maps, IEEE TIP 2021',
  weights: layerCamWeights,
});
