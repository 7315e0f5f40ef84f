"""Make tiny random models in OpenCLIP's own layout with open_clip itself, for the tests of src/models/openclip.

usage: make_openclip.py [OUTDIR [CASE ...]]      default: src/models/openclip/testdata, all; needs open_clip_torch 3.3, timm 1.0, torchvision, ftfy, pillow 13 (whose resizing Narrows follows)

plain     ViT and text transformer, quick_gelu, CLIP's byte pairs, shorter edge and crop (LAION, DFN, MetaCLIP)
clipa     no ln_pre, mean of patches, norm behind it; texts without causal mask, last token, [SEP] taken out; pictures squashed, bilinear (CLIPA)
siglip    timm's SigLIP (learnt probe) and a text tower with a bias in its head; logit_bias; punctuation taken out; pictures squashed
biomed    timm's vit_tiny_patch16_224 and a BERT with [CLS] and MLP head (BiomedCLIP)
gap       timm's vit_medium_patch16_gap_256 (no qkv bias, layer scale, mean) with an MLP head; text tower with layer scale, read at an id; whole pictures padded
"""
import json, os, sys

from families_common import CAPTIONS, outputs, randomise, record, torch, wordpiece
from safetensors.torch import load_file, save_file
import open_clip
import open_clip.timm_model as timm_model
from open_clip.model import CLIP, CustomTextCLIP
from open_clip.transform import PreprocessCfg, image_transform_v2
from transformers import BertConfig

HERE = os.path.dirname(os.path.abspath(__file__))
BERT = 'microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract'
create = timm_model.timm.create_model
MERGES = 'e f</w>,p l,e f,f u,s i,si o,sio n</w>,ef fu,effu sion</w>,r i,h e,n o,o r,m a,l e,u r'.split(',')

CASES = dict(
    plain=dict(seed=31, cls=CLIP, model=dict(
        embed_dim=20, quick_gelu=True,
        vision_cfg=dict(image_size=32, layers=4, width=32, head_width=8, patch_size=8),
        text_cfg=dict(context_length=16, vocab_size=None, width=24, heads=3, layers=3)),
        preprocess=dict(mean=[0.48145466, 0.4578275, 0.40821073], std=[0.26862954, 0.26130258, 0.27577711], interpolation='bicubic', resize_mode='shortest')),
    clipa=dict(seed=32, cls=CLIP, model=dict(
        embed_dim=20,
        vision_cfg=dict(image_size=36, layers=3, width=24, head_width=8, patch_size=6, no_ln_pre=True, pool_type='avg', final_ln_after_pool=True),
        text_cfg=dict(context_length=12, vocab_size=60, hf_tokenizer_name='bert-base-uncased', tokenizer_kwargs=dict(strip_sep_token=True),
                      width=20, heads=2, layers=3, pool_type='last', no_causal_mask=True)),
        preprocess=dict(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225], interpolation='bilinear', resize_mode='squash')),
    siglip=dict(seed=33, cls=CustomTextCLIP, timm=dict(embed_dim=24, depth=3, num_heads=12, img_size=32, patch_size=8), model=dict(
        embed_dim=24, init_logit_bias=-10, custom_text=True,
        vision_cfg=dict(image_size=32, timm_model_name='vit_base_patch16_siglip_224', timm_model_pretrained=False, timm_pool='map', timm_proj='none'),
        text_cfg=dict(context_length=12, vocab_size=60, hf_tokenizer_name='timm/ViT-B-16-SigLIP', tokenizer_kwargs=dict(clean='canonicalize'),
                      width=20, heads=2, layers=3, no_causal_mask=True, proj_bias=True, pool_type='last', norm_kwargs=dict(eps=1e-6), act_kwargs=dict(approximate='tanh'))),
        preprocess=dict(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5], interpolation='bicubic', resize_mode='squash')),
    biomed=dict(seed=34, cls=CustomTextCLIP, timm=dict(embed_dim=24, depth=3, num_heads=3, img_size=32, patch_size=8), model=dict(
        embed_dim=20, custom_text=True,
        vision_cfg=dict(timm_model_name='vit_tiny_patch16_224', timm_model_pretrained=False, timm_pool='', timm_proj='linear', image_size=32),
        text_cfg=dict(hf_model_name=BERT, hf_tokenizer_name=BERT, hf_proj_type='mlp', hf_pooler_type='cls_last_hidden_state_pooler', context_length=256)),
        preprocess=dict(mean=[0.48145466, 0.4578275, 0.40821073], std=[0.26862954, 0.26130258, 0.27577711])),
    gap=dict(seed=35, cls=CustomTextCLIP, timm=dict(embed_dim=32, depth=3, num_heads=8, img_size=32, patch_size=8), model=dict(
        embed_dim=16, custom_text=True,
        vision_cfg=dict(timm_model_name='vit_medium_patch16_gap_256', timm_model_pretrained=False, timm_pool='', timm_proj='mlp', timm_proj_bias=True, image_size=32),
        text_cfg=dict(context_length=12, vocab_size=60, hf_tokenizer_name='bert-base-uncased', width=20, heads=2, layers=3, pool_type='eos', eos_id=3, ls_init_value=1e-4)),
        preprocess=dict(mean=0.5, std=0.25, interpolation='bicubic', resize_mode='longest', fill_color=90)),
)


def byte_pairs(directory):
    """CLIP's tokenizer with a few merges: open_clip's own, and the files of transformers."""
    import gzip
    path = f'{directory}/bpe.txt.gz'
    with gzip.open(path, 'wt') as file:
        file.write('\n'.join(['#version: 0.2'] + MERGES) + '\n')
    simple = open_clip.SimpleTokenizer(bpe_path=path, context_length=16)
    os.remove(path)
    rename = {'<start_of_text>': '<|startoftext|>', '<end_of_text>': '<|endoftext|>'}
    vocab = {rename.get(k, k): v for k, v in simple.encoder.items()}
    with open(f'{directory}/vocab.json', 'w') as file:
        json.dump(vocab, file, ensure_ascii=False)
    with open(f'{directory}/merges.txt', 'w') as file:
        file.write('\n'.join(['#version: 0.2'] + MERGES) + '\n')
    with open(f'{directory}/tokenizer_config.json', 'w') as file:
        json.dump(dict(tokenizer_class='CLIPTokenizer', model_max_length=16), file)
    return simple, len(vocab)


def text_blocks(model):
    if hasattr(model, 'text') and hasattr(model.text.transformer, 'encoder'):
        return list(model.text.transformer.encoder.layer)
    return list((model.text if hasattr(model, 'text') else model).transformer.resblocks)


def image_tower(visual):
    if hasattr(visual, 'trunk'):
        def run(x):
            pooled = visual.trunk(x)
            return pooled, visual.head(pooled)
        return run, list(visual.trunk.blocks)

    def run(x):
        pooled, _ = visual._pool(visual.transformer(visual._embeds(x)))
        return pooled, pooled @ visual.proj
    return run, list(visual.transformer.resblocks)


def text_tower(model):
    """Pooled and features. What is pooled is taken in front of the projection."""
    kept = {}
    text = model.text if hasattr(model, 'text') else model
    if hasattr(text, 'proj'):  # HFTextEncoder
        def run(ids):
            handle = text.pooler.register_forward_hook(lambda m, a, out: kept.update(pooled=out))
            features = text(ids)
            handle.remove()
            return kept['pooled'], features
        return run

    def run(ids):
        import open_clip.transformer as T, open_clip.model as M
        real = T.text_global_pool
        def pool(*args, **kwargs):
            kept['pooled'] = real(*args, **kwargs)
            return kept['pooled']
        T.text_global_pool = M.text_global_pool = pool
        features = model.encode_text(ids)
        T.text_global_pool = M.text_global_pool = real
        return kept['pooled'], features
    return run


def sentences(count):
    """A report of so many findings in the tokenizer's words, 21 to 23 tokens each."""
    side, zone = ['right', 'left'], ['upper', 'lobe', 'size']
    return ' '.join(f'{side[i % 2]} pleural effusion ({i % 5}.5 mm) in the {zone[i % 3]} lobe; no pneumothorax, heart size normal.' for i in range(count))


def long_reports(path, model, tokenizer, pixels):
    """Reports of many findings, the second one longer than the tower: ids, features and the cosine with picture 0."""
    texts = [sentences(10), sentences(16)]
    ids = tokenizer(texts)
    with torch.no_grad():
        image, text = model.encode_image(pixels[:1], normalize=True), model.encode_text(ids, normalize=True)
    rows = [dict(text=t, ids=i.tolist(), text_embeds=e.tolist(), cosine=float((image @ e)[0])) for t, i, e in zip(texts, ids, text)]
    with open(path, 'w') as file:
        json.dump(rows, file)
        file.write('\n')


def make(name, case, out):
    directory = f'{out}/openclip-{name}'
    os.makedirs(directory, exist_ok=True)
    cfg = case['model']
    if name == 'plain':
        tokenizer, cfg['text_cfg']['vocab_size'] = byte_pairs(directory)
    else:
        wordpiece(directory, cfg['text_cfg']['context_length'])
        kwargs = cfg['text_cfg'].get('tokenizer_kwargs', {})
        tokenizer = open_clip.tokenizer.HFTokenizer(directory, context_length=cfg['text_cfg']['context_length'], **kwargs)
    timm_model.timm.create_model = lambda model, **kwargs: create(model, **kwargs, **case.get('timm', {}))
    text_cfg = dict(cfg['text_cfg'])
    if 'hf_model_name' in text_cfg:
        beside = f'{out}/bert-config'
        BertConfig(vocab_size=60, hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=96, max_position_embeddings=256).save_pretrained(beside)
        text_cfg |= dict(hf_model_name=beside, hf_model_pretrained=False)
    options = {k: v for k, v in cfg.items() if k not in ('custom_text', 'text_cfg')}
    torch.manual_seed(case['seed'])
    model = randomise(case['cls'](text_cfg=text_cfg, **options), case['seed'])
    if 'hf_model_name' in text_cfg:
        model.text.transformer.set_attn_implementation('eager')
        os.remove(f'{out}/bert-config/config.json'), os.rmdir(f'{out}/bert-config')
    with open(f'{directory}/open_clip_config.json', 'w') as file:
        json.dump(dict(model_cfg=cfg, preprocess_cfg=case['preprocess']), file, indent=2)
        file.write('\n')
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, f'{directory}/open_clip_model.safetensors', metadata={'format': 'pt'})
    size = cfg['vision_cfg']['image_size']
    transform = image_transform_v2(PreprocessCfg(size=size, **case['preprocess']), is_train=False)
    # Hidden states of the padding behind a few words would fill the file.
    ids = tokenizer(CAPTIONS)[:, :40]
    record(directory, transform, lambda texts: tokenizer(texts).tolist(), case['seed'] + 300)
    pixels = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(case['seed'] + 100))
    image, blocks = image_tower(model.visual)
    mask = (ids[:2] != 0).int() if 'hf_model_name' in text_cfg else None
    outputs(f'{directory}/outputs.safetensors', model, pixels, ids[:2], image, text_tower(model), blocks, text_blocks(model), mask=mask, bias=model.logit_bias,
            made_by='make_openclip.py', seed=case['seed'], open_clip=open_clip.__version__, timm=timm_model.timm.__version__)
    if name == 'biomed':
        long_reports(f'{directory}/long-reports.json', model, tokenizer, pixels)
    with torch.no_grad():  # open_clip's own way gives the same
        ours = load_file(f'{directory}/outputs.safetensors')
        torch.testing.assert_close(ours['image_embeds'], model.encode_image(pixels, normalize=True))
        torch.testing.assert_close(ours['text_embeds'], model.encode_text(ids[:2], normalize=True))
        torch.testing.assert_close(ours['logits_per_image'], model.get_logits(pixels, ids[:2])[0])


if __name__ == '__main__':
    out = sys.argv[1] if len(sys.argv) > 1 else f'{HERE}/../../src/models/openclip/testdata'
    for name in sys.argv[2:] or CASES:
        make(name, CASES[name], out)
