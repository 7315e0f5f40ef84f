"""Tiny random LLaVA checkpoints of each family with what transformers computes on them. usage: python make_tiny_llava.py OUTDIR"""
import json, os, sys
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, Qwen2Config, SiglipVisionConfig

OUT = sys.argv[1]
CLIP = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=3, num_attention_heads=2, image_size=12, patch_size=6)
TEXT = dict(hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, vocab_size=60,
            max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0)
LLAMA3 = dict(rope_type='llama3', factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
CASES = {
    # 1-2: Qwen2 with a tied head, stored as transformers stores it (old names), feature layers as a list
    'qwen2-tied': dict(seed=1, text=Qwen2Config(**TEXT, tie_word_embeddings=True, rope_theta=5000.0), vision=CLIPVisionConfig(**CLIP),
                       over=dict(vision_feature_layer=[-2, -1])),
    # Llama 3 scaling, new names, wide heads, all biases, whole towers
    'llama3-new-names': dict(seed=2, text=LlamaConfig(**TEXT, head_dim=8, rope_theta=50.0, rope_scaling=LLAMA3, attention_bias=True, mlp_bias=True),
                             vision=CLIPVisionConfig(**CLIP), new=True,
                             over=dict(vision_feature_select_strategy='full', multimodal_projector_bias=False, projector_hidden_act='gelu_pytorch_tanh')),
    # linear scaling, bfloat16 files
    'llama-linear-bf16': dict(seed=3, text=LlamaConfig(**TEXT, rope_scaling=dict(rope_type='linear', factor=2.0)), vision=CLIPVisionConfig(**CLIP),
                              dtype=torch.bfloat16, over={}),
    # SigLIP tower, shards
    'siglip-qwen2-sharded': dict(seed=4, text=Qwen2Config(**TEXT), vision=SiglipVisionConfig(**CLIP), shards='12KB',
                                 over=dict(vision_feature_select_strategy='full', vision_feature_layer=-1)),
}


def make(name, c):
    torch.manual_seed(c['seed'])
    out = os.path.join(OUT, name)
    os.makedirs(out, exist_ok=True)
    image = TEXT['vocab_size'] - 1
    config = LlavaConfig(vision_config=c['vision'], text_config=c['text'], image_token_index=image, **c['over'])
    config._attn_implementation = 'eager'
    model = LlavaForConditionalGeneration(config).eval()
    with torch.no_grad():
        for n, p in model.named_parameters():
            if 'norm' in n and n.endswith('weight'): p.normal_(1, .2)
            elif p.ndim >= 2: p.normal_(0, 1.1 / p.shape[-1] ** .5)
            else: p.normal_(0, .1)
    model.tie_weights()
    model.to(c.get('dtype', torch.float32)).save_pretrained(out, **({'max_shard_size': c['shards']} if 'shards' in c else {}))
    if 'dtype' in c:
        # Opened anew: .to() would have rounded the rotary frequencies too.
        model = LlavaForConditionalGeneration.from_pretrained(out, dtype=torch.float32, attn_implementation='eager').eval()
    if c.get('new'):
        held = model.state_dict()
        save_file({k: v.clone().contiguous() for k, v in held.items()}, f'{out}/model.safetensors', {'format': 'pt'})
    os.path.exists(f'{out}/generation_config.json') and os.remove(f'{out}/generation_config.json')
    g = torch.Generator().manual_seed(100 + c['seed'])
    words = lambda k: torch.randint(3, image, (k,), generator=g).tolist()
    pixels = torch.randn(4, 3, 12, 12, generator=g)
    n = model.model.get_image_features(pixels[:1])[0].shape[0]
    # rows: two images in one conversation; text alone; one image
    prompts = [[1] + words(2) + [image] * n + words(2) + [image] * n + words(3), [1] + words(5), [1] + words(1) + [image] * n + words(2)]
    answers = [words(3) + [2], words(4) + [2], words(2) + [2]]
    rows = [a + b for a, b in zip(prompts, answers)]
    length = max(map(len, rows))
    T = {'pixel_values': pixels[:3]}

    def batch(left):
        ids, mask, labels = torch.zeros(3, length, dtype=torch.long), torch.zeros(3, length, dtype=torch.long), torch.full((3, length), -100)
        for i, (a, b) in enumerate(zip(prompts, answers)):
            at = length - len(a) - len(b) if left else 0
            ids[i, at:at + len(a) + len(b)] = torch.tensor(a + b)
            mask[i, at:at + len(a) + len(b)] = 1
            labels[i, at + len(a):at + len(a) + len(b)] = torch.tensor(b)
        return ids, mask, labels

    for side in ('right', 'left'):
        ids, mask, labels = batch(side == 'left')
        # what generate() hands to the model
        positions = (mask.cumsum(-1) - 1).masked_fill(mask == 0, 1)
        model.zero_grad()
        o = model(input_ids=ids, attention_mask=mask, position_ids=positions, pixel_values=pixels[:3], labels=labels)
        o.loss.backward()
        T.update({f'{side}.input_ids': ids.int(), f'{side}.attention_mask': mask.int(), f'{side}.labels': labels.int(), f'{side}.logits': o.logits, f'{side}.loss': o.loss.reshape(1)})
        if side == 'right':
            # Sums of each gradient with fixed weights stand for it: small files, every parameter.
            for k, p in model.named_parameters():
                if p.grad is not None:
                    flat = p.grad.flatten()
                    T[f'grad.{k}'] = torch.stack([flat.sum(), flat.abs().sum(), (flat * torch.cos(torch.arange(len(flat), dtype=flat.dtype))).sum()])
    ids, mask = torch.zeros(3, max(map(len, prompts)), dtype=torch.long), torch.zeros(3, max(map(len, prompts)), dtype=torch.long)
    for i, a in enumerate(prompts):
        ids[i, -len(a):] = torch.tensor(a)
        mask[i, -len(a):] = 1
    kw = dict(input_ids=ids, attention_mask=mask, pixel_values=pixels[:3], max_new_tokens=8, do_sample=False, eos_token_id=None, pad_token_id=0)
    with torch.no_grad():
        T['generate.greedy'] = model.generate(**kw)[:, ids.shape[1]:].int()
        # Row by row: in a batch transformers' penalty would count the padding too.
        for i, (a, pix) in enumerate(zip(prompts, (pixels[:2], None, pixels[2:3]))):
            one = dict(kw, input_ids=torch.tensor([a]), attention_mask=torch.ones(1, len(a), dtype=torch.long), pixel_values=pix)
            T[f'generate.penalty.{i}'] = model.generate(**one, repetition_penalty=1.3)[:, len(a):].int()
    T['generate.input_ids'], T['generate.attention_mask'] = ids.int(), mask.int()
    save_file({k: v.detach().contiguous().clone() for k, v in T.items()}, f'{out}/outputs.safetensors')
    print(name, n, sum(os.path.getsize(f'{out}/{f}') for f in os.listdir(out)), T['generate.greedy'].tolist())


for name, c in CASES.items(): make(name, c)
