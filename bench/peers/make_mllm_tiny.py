"""Tiny random checkpoints of the small MLLM families, in the public layout, with what transformers computes on them.

usage: make_mllm_tiny.py [FAMILY ...]     writes src/models/FAMILY-FOLDER/testdata/NAME (torch 2.13.0 CPU, transformers 4.57.6, seeds below)

Each folder: the checkpoint as save_pretrained writes it, tokenizer, image rules, chat template, pictures (PNG), cases.json (conversations), and
outputs.safetensors: ids and pixel values of the processor per conversation; logits, loss and gradients (three sums each: plain, absolute,
weighted with cos of the index) of all conversations as one batch, padded right and left; greedy tokens with EOS ignored.
"""
import json, math, os, sys
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
import transformers.utils.import_utils as available

# The slow image processors are the reference: Pillow's pixels, whatever torchvision is installed beside them.
available._torchvision_available = available._torchvision_v2_available = False
from transformers import PreTrainedTokenizerFast

torch.set_num_threads(1)
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'src', 'models')


def tokenizer(specials, eos):
    """Byte-level without merges but those of line ends, so that two line ends are one token, as in SmolLM2's and Qwen2's."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {c: i for i, c in enumerate(alphabet)}
    newline = 'Ċ'
    vocabulary[newline * 2] = len(vocabulary)
    t = Tokenizer(models.BPE(vocab=vocabulary, merges=[(newline, newline)]))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([AddedToken(s, normalized=False, special=True) for s in specials])
    return PreTrainedTokenizerFast(tokenizer_object=t, eos_token=eos, pad_token=eos, clean_up_tokenization_spaces=False)


def picture(path, width, height, seed):
    """Smooth colours with an edge: what resizing does shows everywhere. No size that Pillow 12 and 13 resize in another order (docs/images.md)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    a = rng.uniform(.05, .4, (3, 2))
    data = np.stack([127 + 100 * np.sin(a[c, 0] * x + a[c, 1] * y + c) for c in range(3)], -1)
    data[height // 3:, : width // 3] = rng.uniform(0, 255, 3)
    image = Image.fromarray(data.clip(0, 255).astype(np.uint8))
    image.save(path)
    return image


def randomise(model, seed):
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for n, p in model.named_parameters():
            if ('norm' in n or 'ln_q' in n) and n.endswith('weight'): p.copy_(1 + .2 * torch.randn(p.shape, generator=g))
            elif p.ndim >= 2: p.copy_(torch.randn(p.shape, generator=g) * 1.1 / (p[0].numel() ** .5))
            else: p.copy_(.1 * torch.randn(p.shape, generator=g))
    model.tie_weights()


def sums(grad):
    flat = grad.flatten()
    return torch.stack([flat.sum(), flat.abs().sum(), (flat * torch.cos(torch.arange(len(flat), dtype=flat.dtype))).sum()])


def write(out, model_class, config, make_processor, conversations, extra, dtype=torch.float32, image_token=None, positions=None):
    """extra(list of processor outputs) -> keyword arguments of the model for the whole batch; positions: how it numbers tokens, if not by one."""
    os.makedirs(out, exist_ok=True)
    config._attn_implementation = 'eager'
    model = model_class(config).eval()
    randomise(model, config.seed)
    model.to(dtype).save_pretrained(out)
    if dtype != torch.float32:
        model = model_class.from_pretrained(out, dtype=torch.float32, attn_implementation='eager').eval()
    os.path.exists(f'{out}/generation_config.json') and os.remove(f'{out}/generation_config.json')
    processor = make_processor(out)
    g = torch.Generator().manual_seed(100 + config.seed)
    T, rows, cases = {}, [], []
    for i, conversation in enumerate(conversations):
        images = [picture(f'{out}/picture-{i}-{k}.png', w, h, 10 * i + k) for k, (w, h) in enumerate(conversation['sizes'])]
        messages = conversation['messages']
        text = processor.apply_chat_template(messages, add_generation_prompt=True)
        given = dict(images=[images]) if images else {}
        made = processor(text=[text], return_tensors='pt', **given)
        T[f'prompt.{i}.ids'] = made['input_ids'][0].int()
        if images: T[f'prompt.{i}.pixel_values'] = made['pixel_values'].reshape(-1, *made['pixel_values'].shape[-3:]) if made['pixel_values'].ndim > 3 else made['pixel_values']
        for name in ('image_grid_thw', 'image_sizes'):
            if name in made: T[f'prompt.{i}.{name}'] = made[name].int()
        cases.append(dict(text=text, pictures=[f'picture-{i}-{k}.png' for k in range(len(images))],
                          messages=[dict(role=m['role'], content=''.join('<image>\n' if c['type'] == 'image' else c['text'] for c in m['content'])) for m in messages]))
        answer = torch.randint(0, 250, (3 + i,), generator=g).tolist()
        rows.append((made['input_ids'][0].tolist(), answer, made if images else None))
    json.dump(cases, open(f'{out}/cases.json', 'w'), indent=1)
    length = max(len(p) + len(a) for p, a, _ in rows)
    pictures = extra([m for _, _, m in rows if m is not None], rows)
    for side in ('right', 'left'):
        ids = torch.zeros(len(rows), length, dtype=torch.long)
        mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
        for b, (p, a, _) in enumerate(rows):
            at = length - len(p) - len(a) if side == 'left' else 0
            ids[b, at:at + len(p) + len(a)] = torch.tensor(p + a)
            mask[b, at:at + len(p) + len(a)] = 1
            labels[b, at + len(p):at + len(p) + len(a)] = torch.tensor(a)
        place = positions(model, ids, mask, pictures) if positions else (mask.cumsum(-1) - 1).masked_fill(mask == 0, 1)
        model.zero_grad()
        o = model(input_ids=ids, attention_mask=mask, position_ids=place, labels=labels, output_hidden_states=True, **pictures)
        o.loss.backward()
        T.update({f'{side}.input_ids': ids.int(), f'{side}.attention_mask': mask.int(), f'{side}.labels': labels.int(), f'{side}.logits': o.logits if side == 'right' else o.logits[:, -4:],
                  f'{side}.loss': o.loss.reshape(1)})
        if positions: T[f'{side}.position_ids'] = place.int()
        if side == 'right':
            for k, h in enumerate(o.hidden_states): T[f'hidden_states.{k}'] = h
            for k, p in model.named_parameters():
                if p.grad is None: continue
                T[f'grad.{k}'] = sums(p.grad)
                # Some in full, for `narrows verify`.
                if p.numel() < 300: T[f'whole.grad.{k}'] = p.grad
    with torch.no_grad():
        for i, (p, _, made) in enumerate(rows):
            one = extra([made], [rows[i]]) if made is not None else {}
            T[f'generate.{i}'] = model.generate(input_ids=torch.tensor([p]), attention_mask=torch.ones(1, len(p), dtype=torch.long), max_new_tokens=6,
                                                do_sample=False, eos_token_id=None, pad_token_id=0, **one)[0, len(p):].int()
    save_file({k: v.detach().contiguous().clone() for k, v in T.items()}, f'{out}/outputs.safetensors')
    print(out, sum(os.path.getsize(f'{out}/{f}') for f in os.listdir(out)), [len(p) for p, _, _ in rows], [T[f'generate.{i}'].tolist() for i in range(len(rows))])


def said(role, *parts):
    return dict(role=role, content=[dict(type='image') if p is None else dict(type='text', text=p) for p in parts])


CONVERSATIONS = [
    dict(messages=[said('user', None, None, 'which is red?')], sizes=[(70, 45), (20, 33)]),
    dict(messages=[said('user', 'hi'), said('assistant', 'yes'), said('user', 'why?')], sizes=[]),
    dict(messages=[said('user', None, 'a cat?')], sizes=[(61, 97)]),
]
LLAMA = dict(hidden_size=24, intermediate_size=32, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024,
             bos_token_id=1, eos_token_id=2, pad_token_id=0)


def fix_patch_positions():
    """float32 runs of transformers 4.55 to 4.57 number SmolVLM's patches one too low (huggingface/transformers issue 41190); this is what all others do."""
    from transformers.models.idefics3.modeling_idefics3 import Idefics3VisionEmbeddings
    from transformers.models.smolvlm.modeling_smolvlm import SmolVLMVisionEmbeddings

    def embed(self, pixel_values, patch_attention_mask):
        assert patch_attention_mask.all()
        return self.patch_embedding(pixel_values).flatten(2).transpose(1, 2) + self.position_embedding.weight

    Idefics3VisionEmbeddings.forward = SmolVLMVisionEmbeddings.forward = embed


def smolvlm():
    from transformers import (Idefics3Config, Idefics3ForConditionalGeneration, Idefics3ImageProcessor, Idefics3Processor, LlamaConfig, SmolVLMConfig,
                              SmolVLMForConditionalGeneration)

    fix_patch_positions()
    template = ("<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}{% if message['content'][0]['type'] == 'image' %}:{% else %}: {% endif %}"
                "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}<image>{% endif %}{% endfor %}<end_of_utterance>\n"
                "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}")
    specials = ['<|im_start|>', '<|im_end|>', '<end_of_utterance>', '<image>', '<fake_token_around_image>', '<global-img>'] + [
        f'<row_{r}_col_{c}>' for r in range(1, 4) for c in range(1, 4)]

    def make_processor(out):
        rules = Idefics3ImageProcessor(size={'longest_edge': 48}, max_image_size={'longest_edge': 16})
        p = Idefics3Processor(rules, tokenizer(specials, '<end_of_utterance>'), image_seq_len=4, chat_template=template)
        p.save_pretrained(out)
        return p

    def extra(made, rows):
        most = max(m['pixel_values'].shape[1] for m in made)
        out = torch.zeros(len(rows), most, 3, 16, 16)
        for b, (_, _, m) in enumerate(rows):
            if m is not None: out[b, :m['pixel_values'].shape[1]] = m['pixel_values'][0]
        return dict(pixel_values=out)

    t = tokenizer(specials, '<end_of_utterance>')
    image = t.convert_tokens_to_ids('<image>')
    vision = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=16, patch_size=4)
    for name, tied, dtype, classes in (('smolvlm-tiny', False, torch.float32, (SmolVLMConfig, SmolVLMForConditionalGeneration)),
                                       ('idefics3-tiny-bf16', True, torch.bfloat16, (Idefics3Config, Idefics3ForConditionalGeneration))):
        text = LlamaConfig(**LLAMA, vocab_size=len(t), rope_theta=100000.0, rms_norm_eps=1e-5, tie_word_embeddings=tied)
        config = classes[0](vision_config=vision, text_config=text.to_dict(), image_token_id=image, scale_factor=2, tie_word_embeddings=tied, pad_token_id=2)
        config.seed = 5 + tied
        write(os.path.join(ROOT, 'smolvlm', 'testdata', name), classes[1], config, make_processor, CONVERSATIONS, extra, dtype)


CHATML = ("{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
          "{% else %}IMAGE{% endif %}{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")


def anyres():
    from transformers import (CLIPVisionConfig, LlamaConfig, LlavaNextConfig, LlavaNextForConditionalGeneration, LlavaNextImageProcessor, LlavaNextProcessor,
                              LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration, LlavaOnevisionImageProcessor, LlavaOnevisionProcessor, MistralConfig,
                              Qwen2Config, SiglipVisionConfig)

    # No video processor without torchvision; nothing here is a video.
    LlavaOnevisionProcessor.check_argument_for_proper_class = lambda self, name, argument: None
    specials = ['<|im_start|>', '<|im_end|>', '<image>', '<video>']
    t = tokenizer(specials, '<|im_end|>')
    image = t.convert_tokens_to_ids('<image>')
    vision = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=3, num_attention_heads=2, image_size=16, patch_size=4)
    template = CHATML.replace('IMAGE', '<image>\n')
    text = dict(LLAMA, vocab_size=len(t))

    def padded(made, rows):
        most = max(m['pixel_values'].shape[1] for m in made)
        values = [torch.nn.functional.pad(v, (0,) * 6 + (0, most - len(v))) for m in made for v in m['pixel_values']]
        out = dict(pixel_values=torch.stack(values), image_sizes=torch.cat([m['image_sizes'] for m in made]))
        if 'batch_num_images' in made[0]: out['batch_num_images'] = torch.cat([m['batch_num_images'] for m in made])
        return out

    canvases = [[16 * a, 16 * b] for a in range(1, 5) for b in range(1, 5)]

    def onevision(out):
        rules = LlavaOnevisionImageProcessor(size={'height': 16, 'width': 16}, image_grid_pinpoints=canvases)
        p = LlavaOnevisionProcessor(rules, tokenizer(specials, '<|im_end|>'), None, num_image_tokens=16, vision_feature_select_strategy='full', chat_template=template, vision_aspect_ratio='anyres_max_4')
        rules.save_pretrained(out); p.tokenizer.save_pretrained(out)
        open(f'{out}/chat_template.jinja', 'w').write(template)
        return p

    config = LlavaOnevisionConfig(vision_config=SiglipVisionConfig(**vision, vision_use_head=False), text_config=Qwen2Config(**text, tie_word_embeddings=True, rope_theta=1e6),
                                  image_token_index=image, video_token_index=image + 1, image_grid_pinpoints=canvases, vision_aspect_ratio='anyres_max_4',
                                  tie_word_embeddings=True)
    config.seed = 8
    made = os.path.join(ROOT, 'llava-next', 'testdata')
    # A picture of its own tokens; text; one that is scaled down to four tiles' tokens; two in one conversation, each one square.
    cases = [dict(messages=[said('user', None, 'which is red?')], sizes=[(37, 20)]), CONVERSATIONS[1],
             dict(messages=[said('user', None, 'a cat?')], sizes=[(61, 57)]), dict(messages=[said('user', None, None, 'same?')], sizes=[(24, 30), (31, 16)])]
    write(os.path.join(made, 'onevision-tiny'), LlavaOnevisionForConditionalGeneration, config, onevision, cases, padded)

    def following(out):
        rules = LlavaNextImageProcessor(size={'shortest_edge': 16}, crop_size={'height': 16, 'width': 16}, image_grid_pinpoints=canvases[1:6])
        p = LlavaNextProcessor(rules, tokenizer(specials, '<|im_end|>'), patch_size=4, vision_feature_select_strategy='default', num_additional_image_tokens=1,
                               chat_template=template)
        p.save_pretrained(out)
        return p

    config = LlavaNextConfig(vision_config=CLIPVisionConfig(**vision), text_config=MistralConfig(**text, sliding_window=None, rope_theta=1e6), image_token_index=image,
                             image_grid_pinpoints=canvases[1:6], tie_word_embeddings=False)
    config.seed = 9
    write(os.path.join(made, 'next-mistral-tiny-fp16'), LlavaNextForConditionalGeneration, config, following, [dict(CONVERSATIONS[0], sizes=[(70, 45), (20, 22)]), *CONVERSATIONS[1:]], padded,
          torch.float16)


def qwen():
    from transformers import (Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor, Qwen2VLConfig, Qwen2VLForConditionalGeneration,
                              Qwen2VLImageProcessor, Qwen2VLProcessor)

    specials = ['<|im_start|>', '<|im_end|>', '<|vision_start|>', '<|vision_end|>', '<|image_pad|>', '<|video_pad|>']
    t = tokenizer(specials, '<|im_end|>')
    ids = dict(zip(('vision_start_token_id', 'vision_end_token_id', 'image_token_id', 'video_token_id'), t.convert_tokens_to_ids(specials[2:])))
    template = CHATML.replace('IMAGE', '<|vision_start|><|image_pad|><|vision_end|>')
    text = {k: v for k, v in LLAMA.items()} | dict(vocab_size=len(t), rope_theta=1e6, rope_scaling=dict(type='mrope', mrope_section=[1, 1, 1]), rms_norm_eps=1e-6)

    def reader(kind):
        def make(out):
            rules = Qwen2VLImageProcessor(patch_size=4, temporal_patch_size=2, merge_size=2, min_pixels=16 * 16, max_pixels=48 * 48)
            kind.check_argument_for_proper_class = lambda self, name, argument: None
            p = kind(rules, tokenizer(specials, '<|im_end|>'), None, chat_template=template)
            rules.save_pretrained(out); p.tokenizer.save_pretrained(out)
            open(f'{out}/chat_template.jinja', 'w').write(template)
            return p
        return make

    def joined(made, rows):
        return dict(pixel_values=torch.cat([m['pixel_values'] for m in made]), image_grid_thw=torch.cat([m['image_grid_thw'] for m in made]))

    def places(model, input_ids, mask, pictures):
        return model.model.get_rope_index(input_ids, pictures['image_grid_thw'], None, attention_mask=mask)[0]

    common = dict(depth=3, num_heads=2, patch_size=4, spatial_merge_size=2, temporal_patch_size=2)
    made = os.path.join(ROOT, 'qwen2-vl', 'testdata')
    config = Qwen2VLConfig(text_config=dict(text, tie_word_embeddings=True), tie_word_embeddings=True,
                           vision_config=dict(common, embed_dim=16, hidden_size=24, mlp_ratio=2), **ids)
    config.seed = 12
    write(os.path.join(made, 'qwen2-vl-tiny'), Qwen2VLForConditionalGeneration, config, reader(Qwen2VLProcessor), CONVERSATIONS, joined, positions=places)
    # Windows of 2 x 2 tokens; the middle block sees whole pictures.
    config = Qwen2_5_VLConfig(text_config=dict(text, tie_word_embeddings=False), tie_word_embeddings=False,
                              vision_config=dict(common, hidden_size=16, out_hidden_size=24, intermediate_size=20, window_size=16, fullatt_block_indexes=[1]), **ids)
    config.seed = 13
    write(os.path.join(made, 'qwen2.5-vl-tiny-bf16'), Qwen2_5_VLForConditionalGeneration, config, reader(Qwen2_5_VLProcessor), CONVERSATIONS, joined,
          torch.bfloat16, positions=places)


FAMILIES = dict(smolvlm=smolvlm, anyres=anyres, qwen=qwen)
if __name__ == '__main__':
    for name in sys.argv[1:] or FAMILIES: FAMILIES[name]()
