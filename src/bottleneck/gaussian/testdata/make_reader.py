"""Makes reader.safetensors: logits of llava-tiny through docs/examples/vittle_reader.py, in PyTorch.

Usage: bench/peers/.venv/bin/python src/bottleneck/gaussian/testdata/make_reader.py  (torch 2.13.0, transformers 4.57.6, eager attention)
"""
import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

here = Path(__file__).resolve().parent
root = here.parents[3]
tiny = root / 'src/models/llava/testdata/llava-tiny'
sys.path.insert(0, str(root / 'docs/examples'))
import vittle_reader  # noqa: E402

torch.set_num_threads(1)
given = load_file(tiny / 'outputs.safetensors')
right = {'input_ids': given['input_ids'].long(), 'attention_mask': given['attention_mask'].long(), 'pixel_values': given['pixel_values']}
# The same batch padded in front: each row turned by its padding.
def turned(x):
    return torch.stack([row.roll(int((1 - mask).sum())) for row, mask in zip(x, right['attention_mask'])])
left = {**right, 'input_ids': turned(right['input_ids']), 'attention_mask': turned(right['attention_mask'])}
start = {name: w for name, w in load_file(tiny / 'vittle-start.safetensors').items() if 'prior' not in name}
# The same weights at block 2 and after the projector.
weights = {name.replace('bottleneck_v', f'bottleneck.{layer}.visual').replace('bottleneck_t', f'bottleneck.{layer}.text'): w.clone()
           for layer in (2, -1) for name, w in start.items()}
base = json.loads((tiny / 'config.json').read_text())
settings = {'bottleneck_layers': [2], 'modalities': ['visual', 'text'], 'alpha_end': 0.5, 'log_variance_limit': 2.3025,
            'index_split': False}
cases = {'mask': (right, {}), 'index_split': (left, {'index_split': True, 'alpha_inference': 0.8}),
         'projector_visual': (left, {'bottleneck_layers': [-1, 2], 'modalities': ['visual']}),
         'pass': (right, {'bottleneck_init': 'pass', 'stream_scale': [{'visual': 0.5, 'text': 2}]}),
         'noise': (right, {'control': 'noise'})}
out = {}
for name, (batch, change) in cases.items():
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy(tiny / 'model.safetensors', directory)
        save_file(weights, Path(directory) / 'bottleneck.safetensors')
        (Path(directory) / 'config.json').write_text(json.dumps({**base, 'bottleneck_config': {**settings, **change}}))
        model = vittle_reader.load(directory, attn_implementation='eager')
        with torch.no_grad():
            logits = model(**batch).logits
    # Padding is nobody's business.
    out[name] = torch.where(batch['attention_mask'].bool().unsqueeze(-1), logits, 0.0)
out['left.input_ids'], out['left.attention_mask'] = left['input_ids'].int(), left['attention_mask'].int()
out = {k: v.contiguous() for k, v in out.items()}
save_file(out, here / 'reader.safetensors', {'format': 'pt', 'script': 'make_reader.py', 'torch': torch.__version__})
print({k: tuple(v.shape) for k, v in out.items()}, sorted(weights)[:4])
