"""Make tiny random dual encoders of two separate towers with transformers, for the tests of src/models/vision-text.

usage: make_dual_encoders.py [OUTDIR]      default: src/models/vision-text/testdata; needs pillow 13

vit-bert       VisionTextDualEncoderModel of ViTModel and BertModel, both read through their poolers
clip-roberta   the same of CLIPVisionModel and RobertaModel (positions from 2, padding 1)
chinese-clip   ChineseCLIPModel: CLIP's image tower, a BERT whose [CLS] token is projected; vocabulary as vocab.txt only
"""
import os, sys

from families_common import CAPTIONS, WORDS, outputs, randomise, record, torch, wordpiece
from transformers import (BertConfig, ChineseCLIPConfig, ChineseCLIPImageProcessor, ChineseCLIPModel, CLIPImageProcessor, CLIPVisionConfig, RobertaConfig,
                          VisionTextDualEncoderConfig, VisionTextDualEncoderModel, ViTConfig, ViTImageProcessor)

HERE = os.path.dirname(os.path.abspath(__file__))
VIT = dict(hidden_size=24, num_hidden_layers=3, num_attention_heads=3, intermediate_size=40, image_size=32, patch_size=8)
BERT = dict(vocab_size=len(WORDS), hidden_size=20, num_hidden_layers=3, num_attention_heads=2, intermediate_size=36, max_position_embeddings=40)


def cases():
    vit = ViTConfig(**VIT, hidden_act='gelu', layer_norm_eps=1e-6, qkv_bias=True)
    clip = CLIPVisionConfig(**VIT, hidden_act='quick_gelu')
    bert = BertConfig(**BERT)
    roberta = RobertaConfig(**BERT | dict(max_position_embeddings=42, layer_norm_eps=1e-5, pad_token_id=1))
    dual = lambda v, t: VisionTextDualEncoderModel(VisionTextDualEncoderConfig.from_vision_text_configs(v, t, projection_dim=16))
    size = dict(height=32, width=32)
    yield 'vit-bert', 41, dual(vit, bert), ViTImageProcessor(size=size)
    yield 'clip-roberta', 42, dual(clip, roberta), CLIPImageProcessor(size=dict(shortest_edge=32), crop_size=size)
    # The release's rules: a square without a crop.
    config = ChineseCLIPConfig(text_config=BERT, vision_config=VIT, projection_dim=16)
    yield 'chinese-clip', 43, ChineseCLIPModel(config), ChineseCLIPImageProcessor(size=size, do_center_crop=False)


if __name__ == '__main__':
    out = sys.argv[1] if len(sys.argv) > 1 else f'{HERE}/../../src/models/vision-text/testdata'
    for name, seed, model, processor in cases():
        directory = f'{out}/{name}'
        for part in (model.vision_model, model.text_model):
            part.config._attn_implementation = 'eager'
        randomise(model, seed)
        tokenizer = wordpiece(directory, 24)
        if name == 'chinese-clip':
            os.remove(f'{directory}/tokenizer.json')
        model.save_pretrained(directory, safe_serialization=True)
        processor.save_pretrained(directory)
        pixels_of = lambda image: processor(image, return_tensors='pt')['pixel_values'][0]
        encode = lambda texts: tokenizer(texts, padding='max_length', truncation=True, max_length=24)['input_ids']
        record(directory, pixels_of, encode, seed + 300)
        batch = tokenizer(CAPTIONS[:2], padding=True, return_tensors='pt')
        pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed + 100))
        vision = model.vision_model.vision_model if hasattr(model.vision_model, 'vision_model') else model.vision_model
        chinese = name == 'chinese-clip'

        def image(x):
            out = vision(pixel_values=x)
            token = out.last_hidden_state[:, 0]
            normed = out.pooler_output if not hasattr(vision, 'pooler') else token
            return normed, model.visual_projection(out.pooler_output)

        def text(ids):
            # RoBERTa counts its padding token out; the others are only masked.
            masked = model.text_model(input_ids=ids, attention_mask=batch['attention_mask'])
            token = masked.last_hidden_state[:, 0]
            return token, model.text_projection(token if chinese else masked.pooler_output)

        layers = vision.encoder.layers if hasattr(vision.encoder, 'layers') else vision.encoder.layer
        outputs(f'{directory}/outputs.safetensors', model, pixels, batch['input_ids'], image, text, list(layers), list(model.text_model.encoder.layer),
                mask=batch['attention_mask'], made_by='make_dual_encoders.py', seed=seed)
        with torch.no_grad():  # transformers' own way gives the same
            from safetensors.torch import load_file
            ours, theirs = load_file(f'{directory}/outputs.safetensors'), model(input_ids=batch['input_ids'], attention_mask=batch['attention_mask'], pixel_values=pixels)
            torch.testing.assert_close(ours['image_embeds'], theirs.image_embeds)
            torch.testing.assert_close(ours['text_embeds'], theirs.text_embeds)
            torch.testing.assert_close(ours['logits_per_image'], theirs.logits_per_image)
