"""The bottleneck weights that the Vittle golden of llava-tiny starts from. usage: python make_vittle_start.py VITTLE.safetensors OUT.safetensors

llava_golden.py wrote its file after the three AdamW steps, and kept references: bottleneck_*.{fc1,fc2,prior_*} there are the weights behind
the third step, while every other value (h_out, KL, losses, gradients) was computed with those of before. The seed gives these again, in the
order of the script; the noise drawn after them is in the golden and shows that the numbers are the same.
"""
import json, os, sys
import torch
from safetensors.torch import load_file, save_file

golden, d = load_file(sys.argv[1]), 48
seed = json.load(open(os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), 'golden.json')))['seed']
g, start = torch.Generator().manual_seed(seed + 2), {}
for nm in 'vt':
    for n, s in (('prior_mean', (d,)), ('prior_logvar', (d,)), ('fc1.weight', (d, d)), ('fc1.bias', (d,)), ('fc2.weight', (2 * d, d)), ('fc2.bias', (2 * d,))):
        start[f'bottleneck_{nm}.{n}'] = torch.randn(s, generator=g) * (.9 / d ** .5 if len(s) == 2 else .1)
    start[f'bottleneck_{nm}.fc2.weight'][d:] *= 4
    for n in ('prior_mean', 'prior_logvar'): start[f'bottleneck_{nm}.{n}'].zero_()
assert torch.equal(torch.randn(golden['noise'].shape, generator=g), golden['noise'])
assert torch.equal(golden['bottleneck_v.fc1.weight'], golden['adamw.after.bottleneck_v.fc1.weight'])
save_file(start, sys.argv[2])
