"""Make a tiny random NaFlex SigLIP 2 with transformers, for the tests of src/models/naflex.

usage: make_naflex.py [OUTDIR]      default: src/models/naflex/testdata/naflex-tiny; needs pillow 13

Patches of 8 pixels, a position table of 4 x 4, at most 16 patches a picture, texts of 12 tokens; forward values and gradients of square
pictures, two others by resized positions (`interpolated`, `interpolated_wide`), the second of which goes through a padded batch behind a mask.
"""
import os, sys

from families_common import CAPTIONS, WORDS, outputs, randomise, record, torch, wordpiece
from transformers import Siglip2Config, Siglip2ImageProcessor, Siglip2Model

HERE = os.path.dirname(os.path.abspath(__file__))
SEED, PATCH, LENGTH = 51, 8, 12


def patches(pixels):
    """[B, 3, H, W] as the model takes them: [B, N, p*p*3], channels last."""
    b, c, h, w = pixels.shape
    x = pixels.reshape(b, c, h // PATCH, PATCH, w // PATCH, PATCH).permute(0, 2, 4, 3, 5, 1)
    return x.reshape(b, (h // PATCH) * (w // PATCH), PATCH * PATCH * c)


def picture(values, shape):
    """The reverse, of one picture's own patches."""
    h, w = map(int, shape)
    return values[: h * w].reshape(h, w, PATCH, PATCH, 3).permute(4, 0, 2, 1, 3).reshape(3, h * PATCH, w * PATCH)


if __name__ == '__main__':
    out = sys.argv[1] if len(sys.argv) > 1 else f'{HERE}/../../src/models/naflex/testdata/naflex-tiny'
    text = dict(hidden_size=20, intermediate_size=36, num_hidden_layers=3, num_attention_heads=2, vocab_size=len(WORDS), max_position_embeddings=LENGTH, projection_size=24)
    vision = dict(hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=3, num_patches=16, patch_size=PATCH)
    config = Siglip2Config(text_config=text, vision_config=vision)
    config._attn_implementation = 'eager'
    model = randomise(Siglip2Model(config), SEED)
    tokenizer = wordpiece(out, LENGTH)
    model.save_pretrained(out, safe_serialization=True)
    processor = Siglip2ImageProcessor(patch_size=PATCH, max_num_patches=16)
    processor.save_pretrained(out)

    def processed(image):
        made = processor(image, return_tensors='pt')
        return picture(made['pixel_values'][0], made['spatial_shapes'][0])

    encode = lambda texts: tokenizer(texts, padding='max_length', truncation=True, max_length=LENGTH)['input_ids']
    record(out, processed, encode, SEED + 300)
    g = torch.Generator().manual_seed(SEED + 100)
    pixels = torch.randn(2, 3, 4 * PATCH, 4 * PATCH, generator=g)
    ids = torch.tensor(encode(CAPTIONS[:2]))

    def image(x):
        shapes = torch.tensor([[x.shape[2] // PATCH, x.shape[3] // PATCH]] * len(x))
        n = int(shapes[0].prod())
        pooled = model.vision_model(patches(x), torch.ones(len(x), n), shapes).pooler_output
        return pooled, pooled

    def words(ids):
        hidden = model.text_model(ids).last_hidden_state
        return hidden[:, -1], model.text_model.head(hidden[:, -1])

    more = {}
    for name, rows, columns in (('interpolated', 2, 6), ('interpolated_wide', 5, 3)):
        other = torch.randn(1, 3, rows * PATCH, columns * PATCH, generator=g)
        with torch.no_grad():
            n, shapes = rows * columns, torch.tensor([[rows, columns]])
            # Behind a mask, as transformers pads a batch.
            filled = torch.cat([patches(other), torch.zeros(1, 16 - n, PATCH * PATCH * 3)], 1)
            mask = (torch.arange(16) < n).float()[None]
            features = model.get_image_features(filled, mask, shapes)
            more[f'{name}.vision.hidden_states.0'] = model.vision_model.embeddings(filled, shapes)[:, :n]
        more |= {f'{name}.pixel_values': other, f'{name}.image_embeds': features / features.norm(dim=-1, keepdim=True)}
    outputs(f'{out}/outputs.safetensors', model, pixels, ids, image, words, list(model.vision_model.encoder.layers), list(model.text_model.encoder.layers),
            bias=model.logit_bias, inputs=more, made_by='make_naflex.py', seed=SEED)
    with torch.no_grad():  # transformers' own way gives the same
        from safetensors.torch import load_file
        ours = load_file(f'{out}/outputs.safetensors')
        theirs = model(input_ids=ids, pixel_values=patches(pixels), pixel_attention_mask=torch.ones(2, 16), spatial_shapes=torch.tensor([[4, 4]] * 2))
        torch.testing.assert_close(ours['image_embeds'], theirs.image_embeds)
        torch.testing.assert_close(ours['text_embeds'], theirs.text_embeds)
        torch.testing.assert_close(ours['logits_per_image'], theirs.logits_per_image)
