"""Make the tiny random SigLIP that the unit tests of src/models/siglip hold against, with a real (small) tokenizer.

usage: make_siglip.py [OUTDIR]      default: src/models/siglip/testdata/siglip-tiny-b; needs sentencepiece==0.2.3 beside requirements.txt

Image 42 with patch 8 (5 x 5 grid, two pixels unused), towers of different width (text 24 with projection_size 32, image 32), 3 + 3 blocks,
texts of 12 tokens; forward values, gradients, other image sizes by interpolated positions (outputs.safetensors), the pooling head's
attention and towers with hidden tokens (inside.safetensors), captions with their ids (captions.json).
"""
import importlib, json, os, sys

import torch
from tokenizers import Tokenizer
from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

from make_reference import save

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f'{HERE}/../../src/inputs/text/testdata')
golden = importlib.import_module('make-siglip-golden')
SEED, LENGTH = 13, 12
CAPTIONS = ['A photo of a RED dog!', 'a bright boat by the sea', 'ＢＬＵＥ café', 'the tree and the house and the cat and the child']


def write_tokenizer(out):
    # A few rules of nmt_nfkc: blanks, and full-width letters as far as the captions need them (lower case comes first).
    lines = [f'{ord(wide):X}\t{ord(plain):X}' for wide, plain in zip('ｂｌｕｅ\u3000', 'blue ')]
    path = f'{out}/rules.tsv'
    with open(path, 'w') as file:
        file.write('\n'.join(lines) + '\n')
    pieces, charsmap = golden.train_unigram(110, normalization_rule_tsv=path)
    os.remove(path)
    with open(f'{out}/tokenizer.json', 'w') as file:
        json.dump(golden.siglip(pieces, charsmap), file, ensure_ascii=False)
    config = dict(tokenizer_class='SiglipTokenizer', eos_token='</s>', pad_token='</s>', unk_token='<unk>', model_max_length=LENGTH, do_lower_case=True)
    with open(f'{out}/tokenizer_config.json', 'w') as file:
        json.dump(config, file, indent=2)
    return Tokenizer.from_file(f'{out}/tokenizer.json'), len(pieces)


def make_model(vocabulary):
    torch.manual_seed(SEED)
    text = dict(hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=3, vocab_size=vocabulary, max_position_embeddings=LENGTH, projection_size=32)
    vision = dict(hidden_size=32, intermediate_size=56, num_hidden_layers=3, num_attention_heads=4, image_size=42, patch_size=8)
    config = SiglipConfig(text_config=text, vision_config=vision)
    config._attn_implementation = 'eager'
    model = SiglipModel(config).eval()
    with torch.no_grad():  # far from the usual initial values, so that every bias, gain and position matters
        for name, p in model.named_parameters():
            if name in ('logit_scale', 'logit_bias'):
                p.fill_(1.7 if name == 'logit_scale' else -4.0)
            elif 'norm' in name and name.endswith('weight'):
                p.normal_(1, 0.2)
            elif p.ndim >= 2:
                p.normal_(0, 0.5 if 'embedding' in name else 1.2 / p.shape[-1] ** 0.5)
            else:
                p.normal_(0, 0.1)
    return model


def blocks(tower, hidden, start, mask=None):
    """Blocks `start` to the end."""
    for layer in tower.encoder.layers[start:]:
        hidden = layer(hidden, mask)
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
    return hidden


def trace(tower, embedded):
    """Hidden states and attentions of an image or text tower's blocks."""
    hidden, attentions = [embedded], []
    for layer in tower.encoder.layers:
        attentions.append(layer.self_attn(layer.layer_norm1(hidden[-1]))[1])
        hidden.append(blocks_step(layer, hidden[-1], attentions))
    return hidden, attentions


def blocks_step(layer, hidden, attentions):
    # The block by hand, so that the attention stands on the way to the output and has a gradient.
    a = layer.self_attn
    normed = layer.layer_norm1(hidden)
    split = lambda y: y.view(*y.shape[:2], a.num_heads, -1).transpose(1, 2)
    q, k, v = split(a.q_proj(normed)), split(a.k_proj(normed)), split(a.v_proj(normed))
    attention = torch.softmax(q @ k.transpose(-1, -2) * a.head_dim ** -0.5, -1)
    torch.testing.assert_close(attention, attentions[-1])
    attentions[-1] = attention
    middle = hidden + a.out_proj((attention @ v).transpose(1, 2).flatten(2))
    return middle + layer.mlp(layer.layer_norm2(middle))


def outputs(model, pixels, ids):
    with torch.no_grad():
        out = model(pixel_values=pixels, input_ids=ids)
    v, t = model.vision_model, model.text_model
    source = pixels.clone().requires_grad_()
    vision, vision_attentions = trace(v, v.embeddings(source))
    text, text_attentions = trace(t, t.embeddings(ids))
    image_pooled, text_pooled = v.head(v.post_layernorm(vision[-1])), t.head(t.final_layer_norm(text[-1])[:, -1])
    torch.testing.assert_close(image_pooled, out.vision_model_output.pooler_output)
    torch.testing.assert_close(text_pooled, out.text_model_output.pooler_output)
    values = {'pixel_values': pixels, 'input_ids': ids, 'image_embeds': out.image_embeds, 'text_embeds': out.text_embeds,
              'logits_per_image': out.logits_per_image, 'logits_per_text': out.logits_per_text,
              'vision.pooler_output': image_pooled, 'text.pooler_output': text_pooled}
    named = {f'{name}.{kind}.{i}': x for name, kind, all_ in (('vision', 'hidden_states', vision), ('vision', 'attentions', vision_attentions), ('text', 'hidden_states', text),
                                                             ('text', 'attentions', text_attentions)) for i, x in enumerate(all_)}
    cosine = torch.cosine_similarity(image_pooled[:1], text_pooled[:1]).sum()
    wrt = {'pixel_values': source, **named}
    gradients = torch.autograd.grad(cosine, list(wrt.values()), materialize_grads=True)
    values |= named | {'grad.cosine': cosine.reshape(1)} | {f'grad.{k}': g[:1] for k, g in zip(wrt, gradients)}
    g = torch.Generator().manual_seed(SEED + 200)
    for name, height, width in (('interpolated', 64, 64), ('interpolated_wide', 24, 59)):
        other = torch.randn(1, 3, height, width, generator=g)
        with torch.no_grad():
            features = model.get_image_features(other, interpolate_pos_encoding=True)
            values[f'{name}.vision.hidden_states.0'] = v.embeddings(other, interpolate_pos_encoding=True)
        values |= {f'{name}.pixel_values': other, f'{name}.image_embeds': features / features.norm(dim=-1, keepdim=True)}
    return {k: x.detach().contiguous().clone() if x.is_floating_point() else x.int() for k, x in values.items()}


@torch.no_grad()
def inside(model, pixels, ids):
    v, t = model.vision_model, model.text_model
    embedded = v.embeddings(pixels)
    first = v.encoder.layers[0](embedded, None)
    first = first[0] if isinstance(first, tuple) else first
    final = v.post_layernorm(blocks(v, embedded, 0))
    _, attention = v.head.attention(v.head.probe.repeat(len(pixels), 1, 1), final, final, average_attn_weights=False)
    # Hidden tokens: for the image, the others alone go through all blocks; for the text, transformers' own attention mask.
    shown = (torch.arange(25) % 3 != 1).float().repeat(len(pixels), 1)
    kept = blocks(v, embedded[:, shown[0] == 1], 0)
    mask = torch.ones(ids.shape)
    mask[0, 1:4] = 0
    mask[1, 5:9] = 0
    masked = t(ids, attention_mask=mask)
    tensors = {'pool_attention': attention, 'pool.0': v.head(v.post_layernorm(first)), 'shown': shown, 'shown.features': v.head(v.post_layernorm(kept)), 'mask': mask, 'mask.features': masked.pooler_output}
    return {k: x.contiguous().clone() for k, x in tensors.items()}


if __name__ == '__main__':
    out = sys.argv[1] if len(sys.argv) > 1 else f'{HERE}/../../src/models/siglip/testdata/siglip-tiny-b'
    os.makedirs(out, exist_ok=True)
    tokenizer, vocabulary = write_tokenizer(out)
    model = make_model(vocabulary)
    model.save_pretrained(out, safe_serialization=True)
    SiglipImageProcessor(size=dict(height=42, width=42)).save_pretrained(out)
    encoded = [tokenizer.encode(c).ids for c in CAPTIONS]
    rows = [ids if len(ids) <= LENGTH else ids[:LENGTH - 1] + [1] for ids in encoded]  # the end stays, as transformers truncates
    ids = torch.tensor([r + [1] * (LENGTH - len(r)) for r in rows])
    with open(f'{out}/captions.json', 'w') as file:
        json.dump([dict(text=c, ids=r) for c, r in zip(CAPTIONS, ids.tolist())], file, ensure_ascii=False, indent=1)
    pixels = torch.randn(2, 3, 42, 42, generator=torch.Generator().manual_seed(SEED + 100))
    with torch.no_grad():
        texts = model.get_text_features(ids)
    save(f'{out}/outputs.safetensors', outputs(model, pixels, ids[:2]), made_by='make_siglip.py', seed=SEED)
    save(f'{out}/inside.safetensors', inside(model, pixels, ids[:2]) | {'captions.features': texts.clone()}, made_by='make_siglip.py', seed=SEED)
