/** @file XGrad-CAM (Fu et al., BMVC 2020, arXiv 2008.02312): a channel weighed by its gradients, averaged with its activations. */
import { type CamWeights, camEntry, perChannel } from '../primitives/cam.ts';

/** w_d = Σ G·A / Σ A over players; the small number is the published code's. */
export const xgradCamWeights: CamWeights = state =>
  perChannel(state, (_, values) => {
    const total = values.reduce((sum, { a }) => sum + a, 0);
    return values.reduce((sum, { a, g }) => sum + (g * a) / (total + 1e-7), 0);
  });

/** XGrad-CAM. */
export const xgradCam = camEntry({
  name: 'xgrad-cam',
  title: 'XGrad-CAM',
  paper: 'Fu et al.: Axiom-based Grad-CAM, BMVC 2020, arXiv 2008.02312',
  weights: xgradCamWeights,
});
