"""Attribution maps that read attention, on a tiny CLIP or SigLIP, written from the papers' formulas (no code of Narrows or of the authors').

usage: make_attention_reference.py CHECKPOINT_DIR OUT.safetensors

CHECKPOINT_DIR holds outputs.safetensors with pixel_values, input_ids and (CLIP) attention_mask; pair p is row p of each, padding cut off.
Arithmetic in float64. Names: image|text.PAIR.METHOD, one value per token (class token and special tokens included), targets:
plain = cosine to the caption (image); `against` = cosine to caption p minus to caption p + 1; `labels` = log-probability among all captions, p first.
Matrices are multiplied out in full here, where Narrows carries one row.
"""
import json
import os
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, CLIPModel, SiglipModel

directory, out_path = sys.argv[1:3]
torch.set_default_dtype(torch.float64)
kind = AutoConfig.from_pretrained(directory).model_type
model = (CLIPModel if kind == 'clip' else SiglipModel).from_pretrained(directory, attn_implementation='eager').double().eval()
for w in model.parameters():
    w.requires_grad_(False)
outputs = load_file(os.path.join(directory, 'outputs.safetensors'))
pixels, ids = outputs['pixel_values'].double(), outputs['input_ids'].long()
mask = outputs.get('attention_mask')
vision, text = model.vision_model, model.text_model
unit = lambda x: F.normalize(x, dim=-1)
relu = torch.relu


def heads(x, h):  # [N, D] -> [h, N, D/h]
    return x.reshape(x.shape[0], h, -1).transpose(0, 1)


def block(layer, x, causal, merged=False):
    """One block; `merged`: all heads as one."""
    sa = layer.self_attn
    normed = layer.layer_norm1(x)
    q, k, v = sa.q_proj(normed), sa.k_proj(normed), sa.v_proj(normed)
    h = 1 if merged else sa.num_heads
    scores = heads(q, h) @ heads(k, h).transpose(1, 2) * (q.shape[1] // h) ** -0.5
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[1:], dtype=torch.bool).triu(1), float('-inf'))
    a = scores.softmax(-1)
    if not a.requires_grad:
        a.requires_grad_()
    o = (a @ heads(v, h)).transpose(0, 1).reshape(x.shape)
    y = x + sa.out_proj(o)
    y = y + layer.mlp(layer.layer_norm2(y))
    return dict(q=q, k=k, v=v, a=a, o=o, hidden=y, out=sa.out_proj, heads=sa.num_heads)


def attention_pool(hidden):
    """SigLIP's pooling head with its attention [h, 1, N]."""
    head = vision.head
    mha = head.attention
    d = hidden.shape[1]
    wq, wk, wv = mha.in_proj_weight.chunk(3)
    bq, bk, bv = mha.in_proj_bias.chunk(3)
    tokens = vision.post_layernorm(hidden)
    q, k, v = head.probe[0] @ wq.T + bq, tokens @ wk.T + bk, tokens @ wv.T + bv
    h = mha.num_heads
    a = (heads(q, h) @ heads(k, h).transpose(1, 2) * (d // h) ** -0.5).softmax(-1)
    if not a.requires_grad:
        a.requires_grad_()
    o = (a @ heads(v, h)).transpose(0, 1).reshape(1, d)
    y = mha.out_proj(o)
    return (y + head.mlp(head.layernorm(y)))[0], a


def image_end(x):  # rows -> features; CLIP
    return vision.post_layernorm(x) @ model.visual_projection.weight.T


def text_end(x):
    x = text.final_layer_norm(x)
    return x @ model.text_projection.weight.T if kind == 'clip' else text.head(x)


def run(side, start, merged_from=10**9):
    """All blocks; returns (blocks, feature, pool attention or None, pooled position or None)."""
    tower = vision if side == 'image' else text
    x = start
    causal = side == 'text' and kind == 'clip'
    blocks = []
    for i, layer in enumerate(tower.encoder.layers):
        blocks.append(block(layer, x, causal, i >= merged_from))
        x = blocks[-1]['hidden']
    if side == 'text':
        at = len(start) - 1
        return blocks, text_end(x[at]), None, at
    if kind == 'clip':
        return blocks, image_end(x[0]), None, 0
    feature, a = attention_pool(x)
    return blocks, feature, a, None


def start_of(side, p):
    if side == 'image':
        x = vision.embeddings(pixels[p:p + 1])
        return (vision.pre_layrnorm(x) if kind == 'clip' else x)[0]
    n = int(mask[p].sum()) if mask is not None else ids.shape[1]
    return text.embeddings(input_ids=ids[p:p + 1, :n])[0]


pairs = len(pixels)
W = [unit(run('text', start_of('text', p))[1].detach()) for p in range(pairs)]
U = [unit(run('image', start_of('image', p))[1].detach()) for p in range(pairs)]
with torch.no_grad():  # the walk through the model above is the model (whose softmax is in float32)
    for p in range(pairs):
        n = int(mask[p].sum()) if mask is not None else ids.shape[1]
        assert torch.allclose(unit(model.get_image_features(pixel_values=pixels[p:p + 1]))[0], U[p], atol=1e-6)
        assert torch.allclose(unit(model.get_text_features(input_ids=ids[p:p + 1, :n]))[0], W[p], atol=1e-6)
scale = float(model.logit_scale.exp())


def targets(side, p):
    if side == 'text':
        return {'': lambda f: unit(f) @ U[p]}
    order = [p] + [i for i in range(pairs) if i != p]
    T = torch.stack([W[i] for i in order])
    return {
        '': lambda f: unit(f) @ W[p],
        '.against': lambda f: unit(f) @ (W[p] - W[(p + 1) % pairs]),
        '.labels': lambda f: (scale * (T @ unit(f))).log_softmax(0)[0],
    }


grads = lambda s, xs: torch.autograd.grad(s, xs, retain_graph=True)
G = {}
for side in ('image', 'text'):
    for p in range(pairs):
        start = start_of(side, p)
        N = len(start)
        eye = torch.eye(N)
        name = f'{side}.{p}'
        blocks, feature, pool, at = run(side, start)
        A = [b['a'] for b in blocks]
        L = len(A)
        G[f'{name}.raw_attention'] = pool.mean(0)[0] if pool is not None else A[-1].mean(0)[at]
        for fusion in ('mean', 'max', 'min'):
            fuse = lambda a: {'mean': a.mean(0), 'max': a.amax(0), 'min': a.amin(0)}[fusion]
            R = eye
            for a in A:
                X = fuse(a) + eye
                R = X / X.sum(-1, keepdim=True) @ R
            G[f'{name}.rollout_{fusion}'] = (fuse(pool) @ R)[0] if pool is not None else R[at]
        for tag, target in targets(side, p).items():
            s = target(feature)
            D = grads(s, A + ([pool] if pool is not None else []))
            gc = lambda a, g: relu(a * g).mean(0)
            if pool is not None:
                G[f'{name}.chefer_last{tag}'] = gc(pool, D[-1])[0]
            else:
                G[f'{name}.chefer_last{tag}'] = gc(A[-1], D[-1])[at]
            R = eye
            for a, g in zip(A, D):
                R = R + gc(a, g) @ R
            G[f'{name}.chefer_all{tag}'] = (gc(pool, D[-1]) @ R)[0] if pool is not None else (R - eye)[at]

            def loose(b):
                q, k = unit(b['out'](b['q'])), unit(b['out'](b['k']))
                c = k @ q[at]
                first = 1 if side == 'image' else 0  # patches; or tokens up to the end of text
                lam = torch.zeros(N)
                lam[first:] = (c[first:] - c[first:].min()) / (c[first:].max() - c[first:].min())
                return lam

            if pool is not None:
                G[f'{name}.grad_eclip{tag}'] = relu(D[-1].sum(0)[0])
            else:
                n = 1 if side == 'image' else -(-2 * L // 3)
                last = range(L - n, L)
                G[f'{name}.grad_eclip_plain{tag}'] = relu(sum(D[l].sum(0)[at] for l in last))
                G[f'{name}.grad_eclip{tag}'] = relu(sum(loose(blocks[l]) * D[l].sum(0)[at] for l in last))
                merged, f1, _, _ = run(side, start, L - n)
                g1 = grads(target(f1), [merged[l]['o'] for l in last])
                G[f'{name}.grad_eclip_published{tag}'] = relu(sum(loose(merged[l]) * (merged[l]['v'] @ g[at]) for l, g in zip(last, g1)))
            if side == 'image':
                total = torch.zeros(N)
                for b in blocks[-2:]:
                    if kind == 'clip':
                        total += relu(grads(target(image_end(b['hidden'].mean(0))), [b['a']])[0]).mean((0, 1))
                    else:
                        f2, a2 = attention_pool(b['hidden'].detach())
                        total += relu(grads(target(f2), [a2])[0]).mean((0, 1))
                G[f'{name}.legrad{tag}'] = total
        if side == 'image' and kind == 'clip':  # CLIP Surgery over the last half of the blocks
            n = -(-L // 2)
            x = blocks[L - n - 1]['hidden']
            for b in blocks[L - n:]:
                v = heads(b['v'], b['heads'])
                x = x + b['out'](((v @ v.transpose(1, 2) * v.shape[2] ** -0.5).softmax(-1) @ v).transpose(0, 1).reshape(x.shape))
            x = torch.cat([blocks[-1]['hidden'][:1], x[1:]])
            tokens = unit(image_end(x))
            empty = unit(model.get_text_features(input_ids=ids[:1, [0, int(mask[0].sum()) - 1]]))[0]
            G[f'{name}.clip_surgery'] = tokens @ (W[p] - empty)
            G[f'{name}.clip_surgery.against'] = tokens @ (W[p] - W[(p + 1) % pairs])
            T = torch.stack([W[p]] + [W[i] for i in range(pairs) if i != p])
            prob = (2 * (T @ tokens[0])).softmax(0)
            feats = tokens[:, None] * T[None] * (prob / prob.mean())[None, :, None]
            G[f'{name}.clip_surgery.labels'] = (feats - feats.mean(1, keepdim=True)).sum(-1)[:, 0]

settings = dict(made_by='bench/peers/make_attention_reference.py', torch=torch.__version__, model=os.path.basename(os.path.abspath(directory)))
save_file({k: v.detach().float().contiguous().clone() for k, v in G.items()}, out_path, metadata=dict(settings=json.dumps(settings)))
print(len(G), 'maps,', os.path.getsize(out_path), 'bytes')
