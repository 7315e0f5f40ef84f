"""Make a reference file for `narrows verify` from any CLIPModel directory.

usage: make_reference.py DIR OUT.safetensors [--seed 0] [--pairs 2] [--no-train]
"""
import argparse, json
import torch, transformers
from safetensors.torch import save_file
from transformers import CLIPModel


def make_inputs(model, pairs, seed):
    """Random pixels and random token ids: BOS, a different number of tokens in each row, EOS, padding."""
    text, size = model.config.text_config, model.config.vision_config.image_size
    eos = text.vocab_size - 1 if text.eos_token_id == 2 else text.eos_token_id  # 2: an old config; EOS is the largest id
    g, length = torch.Generator().manual_seed(seed), min(text.max_position_embeddings, 10)
    ids = torch.full((pairs, length), eos)
    for i in range(pairs):
        n = length - 2 - i % (length - 3)
        ids[i, : n + 1] = torch.cat([torch.tensor([eos - 1]), torch.randint(3, text.vocab_size - 2, (n,), generator=g)])
    mask = (torch.arange(length) <= (ids == eos).int().argmax(-1, keepdim=True)).int()
    return {'pixel_values': torch.randn(pairs, 3, size, size, generator=g), 'input_ids': ids, 'attention_mask': mask}


def reference(model, inputs, train=True):
    with torch.no_grad():
        out = model(**inputs, output_hidden_states=True, output_attentions=True)
    t = {**inputs, **{k: out[k] for k in ('image_embeds', 'text_embeds', 'logits_per_image')}}
    for name, tower in (('vision', out.vision_model_output), ('text', out.text_model_output)):
        t[f'{name}.pooler_output'] = tower.pooler_output
        t |= {f'{name}.hidden_states.{i}': h for i, h in enumerate(tower.hidden_states)}
    t |= {f'vision.attentions.{i}': a for i, a in enumerate(out.vision_model_output.attentions)}
    # the cosine of pair 0, and its gradient with regard to the pixels, the hidden states and the attentions of the image
    pixels = inputs['pixel_values'][:1].clone().requires_grad_()
    v = model.vision_model(pixels, output_hidden_states=True, output_attentions=True)
    cosine = torch.cosine_similarity(model.visual_projection(v.pooler_output), out.text_embeds[:1]).sum()
    wrt = {'grad.pixel_values': pixels}
    wrt |= {f'grad.vision.hidden_states.{i}': h for i, h in enumerate(v.hidden_states)}
    wrt |= {f'grad.vision.attentions.{i}': a for i, a in enumerate(v.attentions)}
    t['grad.cosine'] = cosine.reshape(1)
    t |= zip(wrt, torch.autograd.grad(cosine, list(wrt.values()), materialize_grads=True))
    if train:  # the contrastive loss and its gradient for every parameter
        loss = model(**inputs, return_loss=True).loss
        names, parameters = zip(*model.named_parameters())
        t['train.loss'] = loss.reshape(1)
        t |= zip((f'train.grad.{n}' for n in names), torch.autograd.grad(loss, parameters))
    return {k: v.detach().contiguous().clone() if v.is_floating_point() else v.int() for k, v in t.items()}


def save(path, tensors, **settings):
    settings |= {'torch': torch.__version__, 'transformers': transformers.__version__}
    save_file(tensors, path, metadata={'format': 'pt', 'settings': json.dumps(settings)})


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('directory'), p.add_argument('out'), p.add_argument('--no-train', action='store_true')
    p.add_argument('--seed', type=int, default=0), p.add_argument('--pairs', type=int, default=2)
    a = p.parse_args()
    model = CLIPModel.from_pretrained(a.directory, attn_implementation='eager', dtype=torch.float32).eval()
    save(a.out, reference(model, make_inputs(model, a.pairs, a.seed), not a.no_train), made_by='make_reference.py', seed=a.seed)
