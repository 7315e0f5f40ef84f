"""Make a tiny random CLIP as two towers saved apart, for the tests of src/models/join-towers.ts.

usage: make_tower_pair.py [OUTDIR]      default: src/models/testdata/clip-towers

image/   CLIPVisionModelWithProjection with its preprocessor; text/   CLIPTextModelWithProjection
values.safetensors   inputs, and the embeddings that each tower gives by itself
"""
import os, sys

from families_common import randomise, torch
from safetensors.torch import save_file
from transformers import CLIPImageProcessor, CLIPTextConfig, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection

HERE = os.path.dirname(os.path.abspath(__file__))

if __name__ == '__main__':
    out = sys.argv[1] if len(sys.argv) > 1 else f'{HERE}/../../src/models/testdata/clip-towers'
    size = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, projection_dim=12)
    image = randomise(CLIPVisionModelWithProjection(CLIPVisionConfig(**size, image_size=24, patch_size=8)), 61)
    text = randomise(CLIPTextModelWithProjection(CLIPTextConfig(**size, vocab_size=40, max_position_embeddings=10, bos_token_id=38, eos_token_id=39, pad_token_id=39)), 62)
    image.save_pretrained(f'{out}/image', safe_serialization=True)
    text.save_pretrained(f'{out}/text', safe_serialization=True)
    CLIPImageProcessor(size=dict(shortest_edge=24), crop_size=dict(height=24, width=24)).save_pretrained(f'{out}/image')
    pixels = torch.randn(2, 3, 24, 24, generator=torch.Generator().manual_seed(63))
    ids = torch.tensor([[38, 5, 17, 3, 39, 39], [38, 20, 2, 21, 12, 39]])
    with torch.no_grad():
        values = {'pixel_values': pixels, 'input_ids': ids.int(), 'image_features': image(pixels).image_embeds, 'text_features': text(ids).text_embeds}
    save_file({k: v.contiguous() for k, v in values.items()}, f'{out}/values.safetensors', metadata={'format': 'pt'})
