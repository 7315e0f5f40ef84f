"""Tiny random LLaVA-Minis and what PyTorch computes on them, from the formulas of arXiv 2501.03895 (eq. 2, eq. 3, section 4.2).

usage: python make_golden.py OUTDIR      (torch 2.13.0 CPU, transformers 4.57.6)

Written for this project; nothing of the official repository is in it. Tower and decoder blocks are transformers'; compression, pre-fusion
and placing are spelled out here, one conversation and one image at a time, without padding (the project computes them in padded batches).
Form `paper`: eq. 2 by torch.softmax. Form `checkpoint`: torch.nn.MultiheadAttention, layer norms and F.interpolate(bicubic) on a table.
"""
import json, math, os, sys
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModel, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM
from transformers.models.llama.modeling_llama import LlamaDecoderLayer
from transformers.models.qwen2.modeling_qwen2 import Qwen2DecoderLayer

OUT = sys.argv[1]
CLIP = dict(hidden_size=16, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2, image_size=12, patch_size=3)
TEXT = dict(hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, vocab_size=50,
            max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0)
LLAMA3 = dict(rope_type='llama3', factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
CASES = {
    'paper-llama': dict(seed=11, form='paper', C=2, blocks=2, text=LlamaConfig(**TEXT, rope_theta=5000.0), image=49),
    'paper-qwen2-one-token': dict(seed=12, form='paper', C=1, blocks=1, text=Qwen2Config(**TEXT, tie_word_embeddings=True), image=49),
    'checkpoint-llama3': dict(seed=13, form='checkpoint', C=2, blocks=2, text=LlamaConfig(**TEXT, rope_theta=50.0, rope_scaling=LLAMA3), image=-200),
}
GRID = CLIP['image_size'] // CLIP['patch_size']


def sine_table(side, width):
    """He et al. 2021, appendix: columns in the first half, rows in the second, sines before cosines."""
    t = torch.zeros(side, side, width, dtype=torch.float64)
    q = width // 4
    f = torch.tensor([10000 ** (-i / q) for i in range(q)], dtype=torch.float64)
    for r in range(side):
        for c in range(side):
            t[r, c] = torch.cat([torch.sin(c * f), torch.cos(c * f), torch.sin(r * f), torch.cos(r * f)])
    return t.reshape(side * side, width).float()


class Mini(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        text = c['text']
        text._attn_implementation = 'eager'
        self.c, self.d = c, text.hidden_size
        vision = CLIPVisionConfig(**CLIP)
        vision._attn_implementation = 'eager'
        self.tower = CLIPVisionModel(vision)
        qwen = isinstance(text, Qwen2Config)
        self.lm = (Qwen2ForCausalLM if qwen else LlamaForCausalLM)(text)
        self.linear_1, self.linear_2 = torch.nn.Linear(16, self.d), torch.nn.Linear(self.d, self.d)
        self.blocks = torch.nn.ModuleList([(Qwen2DecoderLayer if qwen else LlamaDecoderLayer)(text, i) for i in range(c['blocks'])])
        n, paper = c['C'] ** 2, c['form'] == 'paper'
        self.query = torch.nn.Parameter(torch.zeros(n, self.d if paper else 16))
        if not paper:
            self.pos_embed = torch.nn.Parameter(sine_table(c['C'], 16))
            self.attn = torch.nn.MultiheadAttention(16, 8, batch_first=True)
            self.ln_q, self.ln_kv = torch.nn.LayerNorm(16), torch.nn.LayerNorm(16)

    def project(self, x):
        return self.linear_2(F.gelu(self.linear_1(x)))

    def image(self, pixels):
        """[3, S, S] -> all vision tokens [N², d], compressed tokens [C², d], A [C², N²]"""
        x = self.tower(pixels[None], output_hidden_states=True).hidden_states[-2][0, 1:]
        v, C = self.project(x), self.c['C']
        if self.c['form'] == 'paper':
            a = torch.softmax((self.query + sine_table(C, self.d)) @ (v + sine_table(GRID, self.d)).T, -1)
            return v, a @ v, a
        table = F.interpolate(self.pos_embed.reshape(1, C, C, 16).permute(0, 3, 1, 2), size=(GRID, GRID), mode='bicubic', align_corners=False)
        table = table[0].permute(1, 2, 0).reshape(GRID * GRID, 16)
        kv = self.ln_kv(x)
        out, a = self.attn((self.ln_q(self.query) + self.pos_embed)[None], (kv + table)[None], kv[None])
        return v, self.project(out[0]), a[0]

    def fuse(self, x):
        """[T, d] through the blocks: causal, positions 0, 1, …"""
        t = x.shape[0]
        position = torch.arange(t)[None]
        mask = torch.full((t, t), torch.finfo(torch.float32).min).triu(1)[None, None]
        h = x[None]
        rope = self.lm.model.rotary_emb(h, position)
        for block in self.blocks:
            h = block(h, attention_mask=mask, position_ids=position, position_embeddings=rope)
            h = h[0] if isinstance(h, tuple) else h
        return h[0]

    def embed(self, ids, answer, pixels):
        """One conversation. ids: image tokens C² times each; answer[i]: whether token i is of an answer; pixels: its images."""
        token = self.c['image']
        words = self.lm.model.embed_tokens(torch.tensor([max(i, 0) for i in ids]))
        rows = list(words)
        asked = [i for i, t in enumerate(ids) if t != token and not answer[i]]
        if not len(pixels): return words, []
        images, fused, maps = [], [], []
        for p in pixels:
            v, z, a = self.image(p)
            maps.append(a)
            if self.c['form'] == 'paper':
                fused.append(self.fuse(torch.cat([v, words[asked]]))[len(v):])
            else:
                out = self.fuse(torch.cat([v, z, words[asked]]))
                z = out[len(v):len(v) + len(z)]
                fused.append(out[-len(asked):])
            images += list(z)
        mean = torch.stack(fused).mean(0)
        for k, i in enumerate(asked): rows[i] = mean[k]
        for k, i in enumerate(i for i, t in enumerate(ids) if t == token): rows[i] = images[k]
        return torch.stack(rows), maps

    def logits(self, embedded):
        return self.lm(inputs_embeds=embedded[None]).logits[0]


def name_of(k, flat):
    """name of a module's tensor -> in memory (LLaVA's newer names), or flat: that of the official code's modules"""
    if k.startswith('tower.'): return ('model.vision_tower.vision_tower.' if flat else 'model.vision_tower.') + k[6:]
    if k.startswith('lm.model.'): return ('model.' if flat else 'model.language_model.') + k[9:]
    if k.startswith('lm.lm_head.'): return k[3:]
    if k.startswith('linear_'): return f'model.mm_projector.{0 if k[7] == "1" else 2}.{k[9:]}' if flat else f'model.multi_modal_projector.{k}'
    return 'model.prefusion_layers.' + k[7:] if k.startswith('blocks.') else 'model.compressor.' + k


def stored(model, form):
    held = {name_of(k, form == 'checkpoint'): v.detach().clone().contiguous() for k, v in model.state_dict().items()}
    if model.c['text'].tie_word_embeddings: del held['lm_head.weight']
    return {k: v for k, v in held.items() if not k.endswith('position_ids')}


def config(c):
    text = {k: v for k, v in c['text'].to_dict().items() if k in TEXT or k in ('model_type', 'rope_theta', 'rope_scaling', 'rms_norm_eps', 'hidden_act', 'tie_word_embeddings')}
    vision = dict(CLIP, model_type='clip_vision_model')
    if c['form'] == 'paper':
        return dict(model_type='llava_mini', compressor_size=c['C'], prefusion_layer_num=c['blocks'], image_token_index=c['image'], text_config=text, vision_config=vision)
    return dict(text, model_type='llava_mini_llama', compressor_size=c['C'], prefusion_layer_num=c['blocks'], mm_hidden_size=16, mm_projector_type='mlp2x_gelu',
                mm_vision_select_feature='patch', mm_vision_select_layer=-2, mm_vision_tower='tiny', vision_config=vision)


for name, c in CASES.items():
    torch.manual_seed(c['seed'])
    out = os.path.join(OUT, name)
    os.makedirs(out, exist_ok=True)
    model = Mini(c).eval()
    with torch.no_grad():
        for n, p in model.named_parameters():
            if n == 'pos_embed': continue
            if 'norm' in n and n.endswith('weight') or n in ('ln_q.weight', 'ln_kv.weight'): p.normal_(1, .2)
            elif p.ndim >= 2: p.normal_(0, 1.1 / p.shape[-1] ** .5)
            else: p.normal_(0, .1)
    model.lm.tie_weights()
    save_file(stored(model, c['form']), f'{out}/model.safetensors', {'format': 'pt'})
    json.dump(config(c), open(f'{out}/config.json', 'w'), indent=2, sort_keys=True)
    g = torch.Generator().manual_seed(100 + c['seed'])
    words = lambda k: torch.randint(3, 49, (k,), generator=g).tolist()
    pixels = torch.randn(4, 3, 12, 12, generator=g)
    I = [c['image']] * c['C'] ** 2
    # (tokens, answer?) turns: two images in one conversation; text alone; one image and two questions, so that an answer stands between
    # instructions; one image behind all words
    turns = [
        [([1] + words(2) + I + words(2) + I + words(3), 0), (words(3) + [2], 1)],
        [([1] + words(4), 0), (words(3) + [2], 1)],
        [([1] + I + words(3), 0), (words(2) + [2], 1), (words(2), 0), (words(2) + [2], 1)],
        [([1] + words(3) + I, 0), (words(2) + [2], 1)],
    ]
    count = [2, 0, 1, 1]
    ids = [sum((t for t, _ in row), []) for row in turns]
    answer = [sum(([a] * len(t) for t, a in row), []) for row in turns]
    own, at = [], 0
    for k in count: own.append(pixels[at:at + k]); at += k
    rows, maps, total, terms = [], [], 0, []
    for i in range(4):
        e, m = model.embed(ids[i], answer[i], own[i])
        l = model.logits(e)
        rows.append((e, l))
        maps += m
        for t in range(1, len(ids[i])):
            if answer[i][t]: terms.append(F.cross_entropy(l[t - 1][None], torch.tensor([ids[i][t]])))
    loss = torch.stack(terms).mean()
    loss.backward()
    T = {'pixel_values': pixels, 'loss': loss.detach().reshape(1), 'compression': torch.stack(maps).detach()}
    length = max(map(len, ids))
    for side in ('right', 'left'):
        z = lambda fill, *more: torch.full((4, length, *more), fill)
        t_ids, mask, labels, logits, emb = z(0), z(0), z(-100), z(0., 50), z(0., 24)
        for i in range(4):
            a = length - len(ids[i]) if side == 'left' else 0
            b = a + len(ids[i])
            t_ids[i, a:b], mask[i, a:b] = torch.tensor(ids[i]), 1
            labels[i, a:b] = torch.tensor([t if s else -100 for t, s in zip(ids[i], answer[i])])
            emb[i, a:b], logits[i, a:b] = rows[i][0].detach(), rows[i][1].detach()
        T.update({f'{side}.input_ids': t_ids.int(), f'{side}.attention_mask': mask.int(), f'{side}.labels': labels.int(),
                  f'{side}.logits': logits, f'{side}.embedded': emb})
    # Three sums stand for each gradient (plain, absolute, weighted with cos of the index); names in memory.
    for n, p in model.named_parameters():
        if p.grad is None: continue
        f = p.grad.double().flatten()
        T['grad.' + name_of(n, False)] = torch.stack([f.sum(), f.abs().sum(), (f * torch.cos(torch.arange(len(f), dtype=torch.float64))).sum()]).float()
    # Greedy, without a cache: the prompt is fused, what follows is words. Each row's first turn; for the third all up to its last answer,
    # where the answer between counts as prompt.
    with torch.no_grad():
        for i in range(4):
            prompt = sum((t for t, _ in turns[i][:-1]), [])
            done = []
            for _ in range(6):
                e, _m = model.embed(prompt + done, [0] * len(prompt) + [1] * len(done), own[i])
                done.append(int(model.logits(e)[-1].argmax()))
            T[f'generate.{i}.prompt'], T[f'generate.{i}.answer'] = torch.tensor(prompt).int(), torch.tensor(done).int()
    save_file({k: v.contiguous() for k, v in T.items()}, f'{out}/outputs.safetensors', {'format': 'pt'})
    print(name, loss.item(), 'A max', float(torch.stack(maps).max()), [T[f'generate.{i}.answer'].tolist() for i in range(4)])
