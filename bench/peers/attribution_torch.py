"""captum and pytorch-grad-cam on a CLIP, as a worker: one JSON command per line on stdin, one JSON reply per line on stdout.

{"cmd": "threads", "n": 2}
{"cmd": "load", "directory": DIR}
{"cmd": "attribute", "method": NAME, "ids": [...], "pixels": FILE, "n": 50, "per_eval": 16, "layer": 9, "out": FILE}
    pixels: safetensors with pixel_values [1, 3, S, S]; n: samples or steps; per_eval: batch of perturbed inputs (captum's
    perturbations_per_eval / internal_batch_size); layer: the block whose input is explained by layer methods.
    Timed: text features, then the attribution of their cosine to the picture. reply: seconds, cpu_seconds.
{"cmd": "quit"}

Methods are called as their documentation shows, with batches as large as helps, so that the libraries are at their best.
"""
import sys
import time
import unittest.mock

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from serve import serve
from transformers import CLIPModel

# pytorch-grad-cam imports torchvision for helpers that are not used here
for name in ('torchvision', 'torchvision.transforms', 'torchvision.transforms.functional', 'torchvision.models'):
    sys.modules.setdefault(name, unittest.mock.MagicMock())
import captum.attr as ca  # noqa: E402
import pytorch_grad_cam as cams  # noqa: E402

CAMS = {'grad-cam': 'GradCAM', 'hires-cam': 'HiResCAM', 'layer-cam': 'LayerCAM', 'xgrad-cam': 'XGradCAM',
        'grad-cam-plus-plus': 'GradCAMPlusPlus'}


class Cosine(torch.nn.Module):
    """pixels [B, 3, S, S] -> cosine [B] to fixed text features, or [B, 1] for pytorch-grad-cam."""

    def __init__(self, model, text, column=False):
        super().__init__()
        self.model, self.text, self.column = model, text, column

    def forward(self, pixels):
        score = F.cosine_similarity(self.model.get_image_features(pixel_values=pixels), self.text)
        return score[:, None] if self.column else score


class Worker:
    def hello(self):
        return {'torch': torch.__version__}

    def threads(self, n):
        torch.set_num_threads(n)
        return {'n': n}

    def load(self, directory):
        self.model = CLIPModel.from_pretrained(directory, attn_implementation='sdpa', dtype=torch.float32).eval()
        self.model.requires_grad_(False)
        return {}

    def attribute(self, method, ids, pixels, n=50, per_eval=16, layer=9, out=None):
        image = load_file(pixels)['pixel_values']
        begin, cpu = time.perf_counter(), time.process_time()
        with torch.no_grad():
            text = self.model.get_text_features(input_ids=torch.tensor([ids]))
        result = self.run(method, image.clone(), text, n, per_eval, layer)
        reply = {'seconds': time.perf_counter() - begin, 'cpu_seconds': time.process_time() - cpu}
        if out:
            save_file({'attribution': result.detach().float().contiguous()}, out)
        return reply

    def run(self, method, image, text, n, per_eval, layer):
        model, f = self.model, Cosine(self.model, text)
        patch = model.config.vision_config.patch_size
        grid = image.shape[-1] // patch
        if method in CAMS:
            target = [model.vision_model.encoder.layers[-1].layer_norm1]
            reshape = lambda t: t[:, 1:].reshape(t.shape[0], grid, grid, -1).permute(0, 3, 1, 2)
            model.requires_grad_(True)  # its hooks need a graph
            with getattr(cams, CAMS[method])(Cosine(model, text, True), target, reshape_transform=reshape) as cam:
                grey = cam(image, targets=[lambda y: y.sum()])
            model.requires_grad_(False)
            model.zero_grad(set_to_none=True)
            return torch.tensor(grey)
        players = torch.arange(grid * grid).reshape(1, 1, grid, grid).repeat_interleave(patch, 2).repeat_interleave(patch, 3)
        masked = dict(baselines=0.0, feature_mask=players, perturbations_per_eval=per_eval)
        if method == 'saliency':
            return ca.Saliency(f).attribute(image)
        if method == 'input-x-gradient':
            return ca.InputXGradient(f).attribute(image.requires_grad_())
        if method == 'smoothgrad':
            tunnel = ca.NoiseTunnel(ca.Saliency(f))
            return tunnel.attribute(image, nt_samples=n, nt_samples_batch_size=per_eval, stdevs=0.15 * float(image.max() - image.min()), abs=False)
        if method == 'integrated-gradients':
            return ca.IntegratedGradients(f).attribute(image, baselines=0.0, n_steps=n, method='gausslegendre', internal_batch_size=per_eval)
        if method == 'layer-integrated-gradients':
            at = model.vision_model.encoder.layers[layer - 1]
            with torch.enable_grad():
                return ca.LayerIntegratedGradients(f, at).attribute(
                    image.requires_grad_(), baselines=0.0, n_steps=n, method='gausslegendre', internal_batch_size=per_eval)
        with torch.no_grad():
            if method == 'occlusion':
                return ca.FeatureAblation(f).attribute(image, **masked)
            if method == 'shapley':
                return ca.ShapleyValueSampling(f).attribute(image, n_samples=n, **masked)
            if method == 'kernel-shap':
                return ca.KernelShap(f).attribute(image, n_samples=n, **masked)
            if method == 'lime':
                return ca.Lime(f).attribute(image, n_samples=n, **masked)
        raise ValueError(f'no method {method}')


if __name__ == '__main__':
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    serve(Worker(), ('hello', 'threads', 'load', 'attribute'))
