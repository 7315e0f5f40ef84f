"""Write a random CLIP of ViT-B/32 shape (openai/clip-vit-base-patch32's config values) in Hugging Face format, 600 MB.

usage: make_b32.py DIR [--dtype fp32|fp16]

Every weight matrix is normal with standard deviation 0.02 (seed 0), biases are zero, gains one. There is no tokenizer:
the benchmark gives token ids.
"""
import argparse
import os

import torch
from transformers import CLIPConfig, CLIPModel

from make_tiny import write_preprocessor

TEXT = dict(vocab_size=49408, hidden_size=512, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=8, max_position_embeddings=77,
            hidden_act='quick_gelu', bos_token_id=0, pad_token_id=1, eos_token_id=2)
VISION = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, image_size=224, patch_size=32, hidden_act='quick_gelu')

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('directory'), p.add_argument('--dtype', choices=('fp32', 'fp16'), default='fp32')
    a = p.parse_args()
    torch.manual_seed(0)
    model = CLIPModel(CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=512))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim >= 2 or name.endswith('class_embedding'):
                parameter.normal_(0, 0.02)
    os.makedirs(a.directory, exist_ok=True)
    model.to(torch.float16 if a.dtype == 'fp16' else torch.float32).save_pretrained(a.directory, safe_serialization=True, max_shard_size='5GB')
    write_preprocessor(a.directory, 224)
    print(f'{a.directory}: {sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters, {a.dtype}')
