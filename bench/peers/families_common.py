"""What the makers of tiny random image-text models of several layouts share (make_openclip.py, make_dual_encoders.py, make_naflex.py).

Every model gets outputs.safetensors (names as in docs/verify.md: forward values, the cosine of pair 0 and its gradients), inputs.safetensors
(pictures as bytes, `image.I`, and what the family's own processor makes of them, `processed.I`) and captions.json (texts and their ids).
"""
import json, os

import torch

torch.set_num_threads(1)
# torchvision's compiled operators are not needed here, and a build for another torch lacks them.
_register = torch.library.register_fake
torch.library.register_fake = lambda op, *a, **k: (lambda f: f) if str(op).startswith('torchvision::') else _register(op, *a, **k)

from safetensors.torch import save_file

CAPTIONS = ['Right-sided pleural effusion.', 'no pneumothorax; heart size normal', 'Ein Knötchen (4.5 mm) in the LEFT upper lobe', 'effusion']
WORDS = ('[PAD] [UNK] [CLS] [SEP] [MASK] right left - sided pleural effusion . no pneu ##mo ##thorax ; heart size normal in the upper lobe '
         'ein kn ##otchen ( 4 5 mm ) , a of and lung ##s ##ar opacity car ##dio ##me ##ga ##ly').split()


def randomise(model, seed):
    """Far from the usual initial values, so that every bias, gain and position matters."""
    g = torch.Generator().manual_seed(seed)
    draw = lambda p, mean, std: p.copy_(torch.randn(p.shape, generator=g) * std + mean)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith('logit_scale'):
                p.fill_(1.7)
            elif name.endswith('logit_bias'):
                p.fill_(-4.0)
            elif p.ndim >= 2 or 'class_embedding' in name or 'probe' in name:
                draw(p, 0, 0.5 if any(s in name for s in ('embedding', 'pos_embed', 'cls_token', 'latent', 'probe')) else 1.2 / p.shape[-1] ** 0.5)
            elif name.endswith('gamma'):
                draw(p, 0.6, 0.2)
            elif name.endswith('weight'):  # of norms
                draw(p, 1, 0.2)
            else:
                draw(p, 0, 0.1)
    return model.eval()


def wordpiece(directory, length, lower=True):
    """A BERT tokenizer of a few words, saved as tokenizer.json, vocab.txt and tokenizer_config.json."""
    from transformers import BertTokenizerFast
    os.makedirs(directory, exist_ok=True)
    with open(f'{directory}/vocab.txt', 'w') as file:
        file.write('\n'.join(WORDS) + '\n')
    tokenizer = BertTokenizerFast(f'{directory}/vocab.txt', do_lower_case=lower, model_max_length=length)
    tokenizer.save_pretrained(directory)
    return tokenizer


def pictures(seed, sizes=((37, 53), (61, 33), (48, 48), (20, 31))):
    """Smooth random pictures as bytes, [H, W, 3]."""
    g = torch.Generator().manual_seed(seed)
    out = []
    for height, width in sizes:
        coarse = torch.rand(1, 3, 5, 6, generator=g)
        fine = torch.nn.functional.interpolate(coarse, size=(height, width), mode='bicubic', align_corners=False)
        noisy = fine + 0.1 * torch.randn(fine.shape, generator=g)
        out.append((noisy.clamp(0, 1) * 255).round().to(torch.uint8)[0].permute(1, 2, 0).contiguous())
    return out


def record(directory, transform, encode, seed):
    """inputs.safetensors and captions.json. transform: PIL image -> [3, H, W]; encode: texts -> lists of ids."""
    from PIL import Image
    tensors = {}
    for i, picture in enumerate(pictures(seed)):
        tensors[f'image.{i}'] = picture
        tensors[f'processed.{i}'] = transform(Image.fromarray(picture.numpy())).contiguous()
    save_file(tensors, f'{directory}/inputs.safetensors', metadata={'format': 'pt'})
    with open(f'{directory}/captions.json', 'w') as file:
        json.dump([dict(text=t, ids=list(map(int, ids))) for t, ids in zip(CAPTIONS, encode(CAPTIONS))], file, ensure_ascii=False, indent=1)
        file.write('\n')


def watch(blocks):
    """The input of the first block and the output of each, as they are computed."""
    seen = []
    first = lambda value: value[0] if isinstance(value, tuple) else value
    handles = [blocks[0].register_forward_pre_hook(lambda m, args, kwargs: seen.append(args[0] if args else next(iter(kwargs.values()))), with_kwargs=True)]
    handles += [b.register_forward_hook(lambda m, args, out: seen.append(first(out))) for b in blocks]
    return seen, handles


def outputs(path, model, pixels, ids, image, text, image_blocks, text_blocks, mask=None, bias=None, scale=None, inputs=None, **settings):
    """Values and gradients. image: pixels -> (pooled, features); text: ids -> (pooled, features)."""
    source = pixels.clone().requires_grad_()
    seen, handles = watch(image_blocks)
    pooled, features = image(source)
    seen_text, more = watch(text_blocks)
    text_pooled, text_features = text(ids)
    for handle in handles + more:
        handle.remove()
    unit = lambda x: x / x.norm(dim=-1, keepdim=True)
    cosine = torch.cosine_similarity(features[:1], text_features[:1]).sum()
    named = {f'vision.hidden_states.{i}': h for i, h in enumerate(seen)} | {f'text.hidden_states.{i}': h for i, h in enumerate(seen_text)}
    wrt = {'pixel_values': source, **named}
    gradients = torch.autograd.grad(cosine, list(wrt.values()), materialize_grads=True)
    factor = (model.logit_scale if scale is None else scale).exp()
    logits = factor * unit(features) @ unit(text_features).T + (0 if bias is None else bias)
    values = {'pixel_values': pixels, 'input_ids': ids.int(), 'image_embeds': unit(features), 'text_embeds': unit(text_features), 'logits_per_image': logits,
              'vision.pooler_output': pooled, 'text.pooler_output': text_pooled, **named, 'grad.cosine': cosine.reshape(1)}
    values |= {f'grad.{k}': g[:1] for k, g in zip(wrt, gradients)}
    values |= inputs or {}
    if mask is not None:
        values['attention_mask'] = mask.int()
    import transformers
    settings |= {'torch': torch.__version__, 'transformers': transformers.__version__}
    save_file({k: v.detach().contiguous().clone() for k, v in values.items()}, path, metadata={'format': 'pt', 'settings': json.dumps(settings)})
