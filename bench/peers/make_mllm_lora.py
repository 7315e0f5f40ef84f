"""LoRA on the tiny checkpoints of make_mllm_tiny.py as PEFT computes it: adapter, loss, logits and every gradient of one conversation.

usage: make_mllm_lora.py     writes lora/ into each checkpoint of make_mllm_tiny.py (torch 2.13.0 CPU, transformers 4.57.6, peft 0.21.2, seed 21)

lora/adapter_model.safetensors and adapter_config.json are PEFT's own files, with random matrices and a changed connector; lora/outputs.safetensors has
`loss`, `logits` (last eight tokens) and `grad.NAME` by the names of the adapter's file, in float32, of the last conversation with one picture.
"""
import json, os
import make_mllm_tiny as tiny
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText

LAYERS = r'layers\.\d+\.(self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj)'
LLAVA = (rf'.*language_model\.{LAYERS}', 'multi_modal_projector')
SMOLVLM = (rf'.*text_model\.{LAYERS}', 'modality_projection')
QWEN = (rf'.*language_model\.{LAYERS}', 'merger')
CHECKPOINTS = {'smolvlm/testdata/smolvlm-tiny': SMOLVLM, 'smolvlm/testdata/idefics3-tiny-bf16': SMOLVLM, 'llava-next/testdata/onevision-tiny': LLAVA,
               'llava-next/testdata/next-mistral-tiny-fp16': LLAVA, 'qwen2-vl/testdata/qwen2-vl-tiny': QWEN, 'qwen2-vl/testdata/qwen2.5-vl-tiny-bf16': QWEN}
CONVERSATION = 2


def batch_of(g):
    """The conversation by itself, of a checkpoint's outputs.safetensors."""
    shown = g['right.attention_mask'][CONVERSATION].bool()
    ids, labels = (g[f'right.{n}'][CONVERSATION][shown].long()[None] for n in ('input_ids', 'labels'))
    pixels = g[f'prompt.{CONVERSATION}.pixel_values']
    pictures = {n: g[f'prompt.{CONVERSATION}.{n}'].long() for n in ('image_sizes', 'image_grid_thw') if f'prompt.{CONVERSATION}.{n}' in g}
    return dict(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels, pixel_values=pixels if pixels.ndim == 2 else pixels[None], **pictures)


def main(directory, targets, saved):
    g = load_file(f'{directory}/outputs.safetensors')
    model = AutoModelForImageTextToText.from_pretrained(directory, dtype=torch.float32, attn_implementation='eager')
    model = get_peft_model(model, LoraConfig(r=2, lora_alpha=6, target_modules=targets, modules_to_save=[saved], task_type='CAUSAL_LM'))
    generator = torch.Generator().manual_seed(21)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if 'lora_' in name: p.copy_(.2 * torch.randn(p.shape, generator=generator))
            elif 'modules_to_save' in name: p.add_(.05 * torch.randn(p.shape, generator=generator))
    out = model.eval()(**batch_of(g))
    out.loss.backward()
    values = {'loss': out.loss.reshape(1), 'logits': out.logits[0, -8:]}
    for name, p in model.named_parameters():
        if p.grad is not None: values['grad.' + name.replace('.modules_to_save.default.', '.').replace('.default.', '.')] = p.grad
    to = f'{directory}/lora'
    model.save_pretrained(to)
    os.path.exists(f'{to}/README.md') and os.remove(f'{to}/README.md')
    config = json.load(open(f'{to}/adapter_config.json'))
    json.dump({**config, 'base_model_name_or_path': None}, open(f'{to}/adapter_config.json', 'w'), indent=1, sort_keys=True)
    save_file({k: v.detach().contiguous().clone() for k, v in values.items()}, f'{to}/outputs.safetensors')
    names = {'grad.' + n for n in load_file(f'{to}/adapter_model.safetensors')}
    assert names == {n for n in values if n.startswith('grad.')}, names ^ {n for n in values if n.startswith('grad.')}
    print(directory, len(names), out.loss.item(), sum(os.path.getsize(f'{to}/{f}') for f in os.listdir(to)))


if __name__ == '__main__':
    tiny.fix_patch_positions()
    for name, parts in CHECKPOINTS.items(): main(os.path.join(tiny.ROOT, *name.split('/')), *parts)
