"""Makes peft-tiny: a LoRA adapter of llava-tiny with random matrices, saved by PEFT, and what PEFT computes with it.

Usage: python make_peft.py  (beside llava-tiny). Made with peft 0.21.2 (installed without dependencies, with accelerate and
psutil, beside what bench/peers/requirements.txt pins), torch 2.13.0, transformers 4.57.6.
"""

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import LlavaForConditionalGeneration

here = Path(__file__).parent
tiny = here / 'llava-tiny'
out = here / 'peft-tiny'
torch.set_num_threads(1)

model = LlavaForConditionalGeneration.from_pretrained(tiny, attn_implementation='eager')
names = r'self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj'
config = LoraConfig(
    r=4,
    lora_alpha=8,
    target_modules=rf'.*language_model\.layers\.\d+\.({names})',
    modules_to_save=['multi_modal_projector'],
    task_type='CAUSAL_LM',
)
model = get_peft_model(model, config)
generator = torch.Generator().manual_seed(6)
with torch.no_grad():
    for name, p in model.named_parameters():
        if 'lora_' in name:
            p.copy_(0.1 * torch.randn(p.shape, generator=generator))
        elif 'modules_to_save' in name:
            p.add_(0.05 * torch.randn(p.shape, generator=generator))
given = load_file(tiny / 'outputs.safetensors')
batch = {k: given[k] if k == 'pixel_values' else given[k].long() for k in ('input_ids', 'attention_mask', 'pixel_values', 'labels')}
model.eval()
result = model(**batch)
result.loss.backward()
model.save_pretrained(out)
(out / 'README.md').unlink(missing_ok=True)
config_path = out / 'adapter_config.json'
saved = json.loads(config_path.read_text())
saved['base_model_name_or_path'] = 'llava-tiny'
config_path.write_text(json.dumps(saved, indent=2) + '\n')
golden = {'logits': result.logits.detach(), 'loss': result.loss.detach().reshape(1)}
for name, p in model.named_parameters():
    if p.grad is not None:
        plain = name.removeprefix('base_model.model.').replace('.default', '').replace('.modules_to_save', '')
        golden[f'grad.{plain}'] = p.grad
save_file(golden, out / 'outputs.safetensors', {'format': 'pt'})
print(sorted(load_file(out / 'adapter_model.safetensors'))[:3], [k for k in load_file(out / 'adapter_model.safetensors') if 'lora' not in k])
print(len(golden), result.loss.item())
