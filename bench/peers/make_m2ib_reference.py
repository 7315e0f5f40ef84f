"""Make a reference file of the official M2IB algorithm, its noise recorded, for `narrows verify`.

usage: make_m2ib_reference.py DIR OUT.safetensors [--vision-layer 9 --text-layer 9 --beta 0.1 --steps 10 --batch 10] [--inputs FILE]
       [--runs vision.0 text.0 ...]

`--inputs FILE` takes pixel_values, input_ids and attention_mask from a file that make_reference.py wrote; otherwise they are
drawn as it draws them. A run is a tower and the index of a pair. Texts are given without their padding, as the official code does.
"""
import argparse

import torch
from safetensors.torch import load_file

from m2ib_torch import draw_noise, load_model, official, official_map, width_and_tokens
from make_reference import make_inputs, save


def m2ib_reference(model, inputs, runs, layers, seed, batch, **options):
    """Tensors named <tower>.<pair>.<part>; alpha[0] is the start, alpha[s] stands after step s; loss rows are (KL, cosine, total)."""
    tensors = {'pixel_values': inputs['pixel_values']}
    for run in runs:
        which, index = run.split('.')[0], int(run.split('.')[1])
        modality = 'image' if which == 'vision' else 'text'
        image = inputs['pixel_values'][index:index + 1]
        ids = inputs['input_ids'][index:index + 1, :int(inputs['attention_mask'][index].sum())].long()
        width, tokens = width_and_tokens(model, modality, image, ids)
        noise = torch.stack(list(draw_noise(options['steps'], batch, tokens, width, seed + 100 * (modality == 'text') + index)))
        result = official(model, image, ids, modality, layers[which], batch=batch, noise=noise, **options)
        result['map'] = official_map(result['saliency'], modality)
        if modality == 'image':
            result['map'] = result['map'][::8, ::8]  # the official 224 x 224 map, every 8th pixel
        tensors |= {f'{run}.{k}': v for k, v in (result | {'noise': noise, 'input_ids': ids.int()}).items()}
    return {k: v.detach().contiguous().clone() for k, v in tensors.items()}


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('directory'), p.add_argument('out'), p.add_argument('--inputs')
    p.add_argument('--runs', nargs='+', default=['vision.0', 'text.0'])
    for name, value in (('vision-layer', 9), ('text-layer', 9), ('steps', 10), ('batch', 10), ('seed', 0)):
        p.add_argument(f'--{name}', type=int, default=value)
    p.add_argument('--beta', type=float, default=0.1), p.add_argument('--lr', type=float, default=1.0)
    a = p.parse_args()
    model = load_model(a.directory, 'eager')
    pairs = 1 + max(int(r.split('.')[1]) for r in a.runs)
    inputs = load_file(a.inputs) if a.inputs else make_inputs(model, pairs, a.seed)
    options = dict(beta=a.beta, steps=a.steps, lr=a.lr, batch=a.batch)
    tensors = m2ib_reference(model, inputs, a.runs, {'vision': a.vision_layer, 'text': a.text_layer}, a.seed, **options)
    save(a.out, tensors, made_by='make_m2ib_reference.py', vision_layer=a.vision_layer, text_layer=a.text_layer, seed=a.seed, **options)
