"""Make the tiny random CLIPs that the unit tests of src/models hold against.

usage: make_tiny.py [OUTDIR]      default: src/models/testdata of this repository

clip-tiny-b             gelu, image 42, patch 6 (7 x 7 grid), text with padding, eos_token_id 2 (EOS = largest id), 5 + 4 blocks;
                        forward values, gradients, another image size by interpolated positions, the official M2IB (4 noise samples)
clip-tiny-sharded-bf16  quick_gelu, 2 + 2 blocks, bfloat16 in several shards with an index; embeddings computed in float32
clip-tiny-fp16          the same model in one float16 file
"""
import json
import os
import sys

import torch
from transformers import CLIPConfig, CLIPModel

from make_m2ib_reference import m2ib_reference
from make_reference import reference, save

B = dict(
    seed=7, projection=28,
    vision=dict(hidden_size=24, intermediate_size=48, num_hidden_layers=5, num_attention_heads=3, image_size=42, patch_size=6, hidden_act='gelu'),
    text=dict(hidden_size=20, intermediate_size=40, num_hidden_layers=4, num_attention_heads=5, vocab_size=130, max_position_embeddings=20,
              hidden_act='gelu', bos_token_id=0, pad_token_id=1, eos_token_id=2),
    ids=[[128, 5, 17, 33, 8, 99, 129, 129], [128, 60, 2, 71, 12, 9, 41, 129]], mask=[[1] * 7 + [0], [1] * 8],
)
C = dict(
    seed=11, projection=12,
    vision=dict(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=24, patch_size=8, hidden_act='quick_gelu'),
    text=dict(hidden_size=12, intermediate_size=24, num_hidden_layers=2, num_attention_heads=3, vocab_size=64, max_position_embeddings=12,
              hidden_act='quick_gelu', bos_token_id=62, pad_token_id=63, eos_token_id=63),
    ids=[[62, 5, 17, 33, 63, 63], [62, 40, 2, 21, 12, 63]], mask=[[1] * 5 + [0], [1] * 6],
)


def make_model(case):
    torch.manual_seed(case['seed'])
    config = CLIPConfig(text_config=case['text'], vision_config=case['vision'], projection_dim=case['projection'])
    config._attn_implementation = 'eager'
    model = CLIPModel(config).eval()
    with torch.no_grad():  # far from the usual initial values, so that every bias, gain and position matters
        for name, p in model.named_parameters():
            if p.ndim >= 2 or name.endswith('class_embedding'):
                p.normal_(0, 0.5 if 'embedding' in name else 1.2 / p.shape[-1] ** 0.5)
            elif 'norm' in name and name.endswith('weight'):
                p.normal_(1, 0.2)
            elif name != 'logit_scale':
                p.normal_(0, 0.1)
    return model


def make_inputs(case):
    size = case['vision']['image_size']
    pixels = torch.randn(len(case['ids']), 3, size, size, generator=torch.Generator().manual_seed(case['seed'] + 100))
    return {'pixel_values': pixels, 'input_ids': torch.tensor(case['ids']), 'attention_mask': torch.tensor(case['mask'])}


def write_preprocessor(directory, size):
    rule = dict(image_processor_type='CLIPImageProcessor', do_resize=True, size={'shortest_edge': size}, resample=3, do_center_crop=True,
                crop_size={'height': size, 'width': size}, do_rescale=True, rescale_factor=1 / 255, do_normalize=True, do_convert_rgb=True,
                image_mean=[0.48145466, 0.4578275, 0.40821073], image_std=[0.26862954, 0.26130258, 0.27577711])
    with open(f'{directory}/preprocessor_config.json', 'w') as file:
        json.dump(rule, file, indent=2)
        file.write('\n')


def save_model(model, case, directory, **options):
    os.makedirs(directory, exist_ok=True)
    model.save_pretrained(directory, safe_serialization=True, **options)
    write_preprocessor(directory, case['vision']['image_size'])


def tiny_b(directory):
    model, inputs = make_model(B), make_inputs(B)
    save_model(model, B, directory)
    tensors = reference(model, inputs)
    g = torch.Generator().manual_seed(B['seed'] + 200)
    for name, height, width in (('interpolated', 63, 63), ('interpolated_wide', 30, 66)):
        pixels = torch.randn(1, 3, height, width, generator=g)
        with torch.no_grad():
            features = model.get_image_features(pixels, interpolate_pos_encoding=True)
            tensors[f'{name}.vision.hidden_states.0'] = model.vision_model.pre_layrnorm(model.vision_model.embeddings(pixels, interpolate_pos_encoding=True))
        tensors |= {f'{name}.pixel_values': pixels, f'{name}.image_embeds': features / features.norm(dim=-1, keepdim=True)}
    save(f'{directory}/outputs.safetensors', tensors, made_by='make_tiny.py', seed=B['seed'])
    options = dict(beta=0.5, steps=10, lr=1.0)
    m2ib = m2ib_reference(model, inputs, ['vision.0', 'text.0', 'text.1'], {'vision': 3, 'text': 2}, B['seed'] + 300, 4, **options)
    del m2ib['pixel_values']  # they stand in outputs.safetensors
    save(f'{directory}/m2ib.safetensors', m2ib, made_by='make_tiny.py', seed=B['seed'], vision_layer=3, text_layer=2, batch=4, **options)


def tiny_half(directory, dtype, **options):
    inputs = make_inputs(C)
    save_model(make_model(C).to(dtype), C, directory, **options)
    model = CLIPModel.from_pretrained(directory, dtype=torch.float32, attn_implementation='eager').eval()
    with torch.no_grad():
        out = model(**inputs)
    tensors = {'image_embeds': out.image_embeds, 'text_embeds': out.text_embeds, 'logits_per_image': out.logits_per_image}
    tensors |= {k: v if v.is_floating_point() else v.int() for k, v in inputs.items()}
    save(f'{directory}/outputs.safetensors', {k: v.contiguous() for k, v in tensors.items()}, made_by='make_tiny.py', seed=C['seed'])


if __name__ == '__main__':
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), '../../src/models/testdata')
    tiny_b(f'{out}/clip-tiny-b')
    tiny_half(f'{out}/clip-tiny-sharded-bf16', torch.bfloat16, max_shard_size='12KB')
    tiny_half(f'{out}/clip-tiny-fp16', torch.float16)
