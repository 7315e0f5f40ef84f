"""Runs a LLaVA through the Vittle bottleneck that Narrows saved beside it (bottleneck.safetensors, bottleneck_config), with transformers.

    from vittle_reader import load
    model = load('runs/vittle')            # LlavaForConditionalGeneration; forward and generate go through the bottleneck
    model = load('runs/vittle', alpha=0)   # plain LLaVA
"""
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn import functional as F

PROJECTOR = -1  # the "layer" of a bottleneck on the image features


def posterior(weights, limit, hidden):
    """Mean and log-variance of what one encoder makes of hidden states [..., d]."""
    inner = F.gelu(F.linear(hidden, weights['fc1.weight'], weights['fc1.bias']))
    mean, log_variance = F.linear(inner, weights['fc2.weight'], weights['fc2.bias']).chunk(2, dim=-1)
    return mean, log_variance.clamp(-limit, limit)


def image_tokens(config):
    """Tokens that one image takes."""
    vision = config.vision_config
    patches = (vision.image_size // vision.patch_size) ** 2
    return patches + (vision.model_type == 'clip_vision_model') - (config.vision_feature_select_strategy == 'default')


def attach(model, directory, alpha=None):
    """Hooks a directory's bottleneck into a LlavaForConditionalGeneration; remove() of what is returned takes it out again."""
    config = json.loads((Path(directory) / 'config.json').read_text())['bottleneck_config']
    stored = load_file(Path(directory) / 'bottleneck.safetensors')
    if alpha is None:
        alpha = config.get('alpha_inference', config['alpha_end'])
    limit, split_by_position = config['log_variance_limit'], config['index_split']
    passes = config.get('bottleneck_init') == 'pass'  # mean h/s + f(h/s), and s z goes on
    if config.get('control') == 'noise':  # noise in training only: the model answers as it is
        alpha = 0
    seen = {}  # of the pass under way: where images are, and positions

    def encoder(layer, modality):
        prefix = f'bottleneck.{layer}.{modality}.'
        own = {name.removeprefix(prefix): w.to(model.device, model.dtype) for name, w in stored.items() if name.startswith(prefix)}
        if not passes:
            return lambda hidden: posterior(own, limit, hidden)[0]
        scale = config['stream_scale'][config['bottleneck_layers'].index(layer)][modality]
        return lambda hidden: hidden + scale * posterior(own, limit, hidden / scale)[0]

    def narrowed(layer):
        modalities = ['visual'] if layer == PROJECTOR else config['modalities']
        encoders = {modality: encoder(layer, modality) for modality in modalities}

        def apply(hidden):
            visual = seen['image']
            if split_by_position and layer != PROJECTOR:  # the released code's mistake: the first N - 1 positions per image
                count = visual.sum(1, keepdim=True)
                visual = seen['positions'] < count - count // image_tokens(model.config)
            for modality, encode in encoders.items():
                taken = (visual if modality == 'visual' else ~visual).unsqueeze(-1)
                mixed = hidden if alpha == 0 else (1 - alpha) * hidden + alpha * encode(hidden)
                out = torch.where(taken, mixed, hidden if modality == modalities[0] else out)
            return out

        return apply

    def remember(_, args, kwargs):
        ids = kwargs.get('input_ids', args[0] if args else None)
        if ids is None:
            raise ValueError('The bottleneck needs input_ids, which tell image tokens from words.')
        seen['image'] = ids == model.config.image_token_index
        mask = kwargs.get('attention_mask')
        counted = mask if mask is not None and mask.dim() == 2 else torch.ones_like(ids)
        seen['positions'] = counted.long().cumsum(1)[:, -ids.shape[1]:] - 1  # of tokens that are no padding

    hooks = [model.model.register_forward_pre_hook(remember, with_kwargs=True)]
    language = model.model.language_model
    for layer in config['bottleneck_layers']:
        apply = narrowed(layer)
        if layer == PROJECTOR:
            def before(_, args, kwargs, apply=apply):
                return args, {**kwargs, 'inputs_embeds': apply(kwargs['inputs_embeds'])}
            hooks.append(language.register_forward_pre_hook(before, with_kwargs=True))
        else:
            def after(_, args, output, apply=apply):
                hidden = output[0] if isinstance(output, tuple) else output
                hidden = apply(hidden)
                return (hidden, *output[1:]) if isinstance(output, tuple) else hidden
            hooks.append(language.layers[layer].register_forward_hook(after))

    class Handle:
        def remove(self):
            for hook in hooks:
                hook.remove()

    return Handle()


def load(directory, alpha=None, **options):
    """The model of a directory, with its bottleneck where it has one. Options go to `from_pretrained`."""
    from transformers import LlavaForConditionalGeneration

    model = LlavaForConditionalGeneration.from_pretrained(directory, **options).eval()
    if getattr(model.config, 'bottleneck_config', None):
        attach(model, directory, alpha)
    return model
