"""Writes added-tokens-golden.json: what transformers makes of the ways in which a checkpoint's files add tokens to a small CLIP tokenizer
(of our own words) and to a small Llama one. Usage: pip install transformers==4.57.6; python make_added_tokens.py"""
import json, os, sys, tempfile
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
START, END = '<|startoftext|>', '<|endoftext|>'
WORDS = 'a red toy dog on sofa cat'.split()


def clip_vocabulary():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab, merges = {c: i for i, c in enumerate(alphabet)}, []
    for c in alphabet:
        vocab[c + '</w>'] = len(vocab)
    for word in WORDS:
        parts = list(word[:-1]) + [word[-1] + '</w>']
        while len(parts) > 1:
            pair = (parts[0], parts[1])
            if pair not in merges:
                merges.append(pair)
                vocab[''.join(pair)] = len(vocab)
            parts = [''.join(pair)] + parts[2:]
    for token in (START, END):
        vocab[token] = len(vocab)
    return vocab, merges


def token(content, **flags):
    return dict(content=content, **{**dict(lstrip=False, rstrip=False, normalized=False, single_word=False, special=True), **flags})


VOCAB, MERGES = clip_vocabulary()
N = len(VOCAB)
BASE = dict(tokenizer_class='CLIPTokenizer', bos_token=START, eos_token=END, unk_token=END, pad_token=END, model_max_length=77)
OWN = {str(VOCAB[t]): token(t, normalized=True) for t in (START, END)}
TEXTS = ['a red <toy> on a sofa!', 'a <TOY>dog <toy>cat', 'red<mask> !<extra> a', ' <toy> ', 'xx<toy>xx <extra><toy>', 'a!cat !!', '<|endoftext|> a', 'a <pad> dog', '<Big> dog <big>', 'toy dog']
SLOW = {'vocab.json': VOCAB, 'merges.txt': '#version: 0.2\n' + '\n'.join(' '.join(m) for m in MERGES) + '\n'}
VARIANTS = {
    'added_tokens.json': {**SLOW, 'tokenizer_config.json': BASE, 'added_tokens.json': {'<toy>': N, '<Big>': N + 1}},
    'added_tokens.json, special by the map': {**SLOW, 'tokenizer_config.json': BASE, 'special_tokens_map.json': {'additional_special_tokens': ['<toy>', token('<extra>', lstrip=True)]}, 'added_tokens.json': {'<extra>': N + 1, '<toy>': N}},
    'added_tokens_decoder': {'fast': {}, 'tokenizer_config.json': {**BASE, 'added_tokens_decoder': {**OWN, str(N): token('<toy>'), str(N + 1): token('<Big>', normalized=True, special=False)}}},
    'added_tokens_decoder with flags': {'fast': {}, 'tokenizer_config.json': {**BASE, 'added_tokens_decoder': {**OWN, str(N): token('<toy>', lstrip=True, rstrip=True), str(N + 1): token('toy', single_word=True, special=False)}}},
    'added_tokens_decoder out of order': {'fast': {}, 'tokenizer_config.json': {**BASE, 'added_tokens_decoder': {str(N + 9): token('<toy>'), **OWN, str(N + 3): token('<extra>')}}},
    'added_tokens_decoder hides the map': {'fast': {}, 'tokenizer_config.json': {**BASE, 'added_tokens_decoder': OWN}, 'special_tokens_map.json': {'additional_special_tokens': ['<toy>'], 'mask_token': '<mask>'}, 'added_tokens.json': {'<extra>': N}},
    'additional_special_tokens': {'fast': {}, 'tokenizer_config.json': {**BASE, 'additional_special_tokens': ['<toy>', '<extra>'], 'mask_token': '<mask>'}},
    'additional_special_tokens as objects': {'fast': {}, 'tokenizer_config.json': {**BASE, 'added_tokens_decoder': {**OWN, str(N): token('<toy>', lstrip=True)}, 'additional_special_tokens': ['<toy>', '<extra>']}},
    'the map over the config': {'fast': {}, 'tokenizer_config.json': BASE, 'special_tokens_map.json': {'pad_token': '<pad>', 'additional_special_tokens': ['<toy>']}},
    'extra_special_tokens': {'fast': {}, 'tokenizer_config.json': {**BASE, 'extra_special_tokens': {'image_token': '<toy>', 'other': '<extra>'}}},
    'pad is !': {'fast': {}, 'tokenizer_config.json': {**BASE, 'pad_token': '!'}},
    'pad is new': {'fast': {}, 'tokenizer_config.json': {**BASE, 'pad_token': '<pad>'}},
    'tokenizer.json has them, the config says otherwise': {'fast': {'<toy>': dict(lstrip=True)}, 'tokenizer_config.json': {**BASE, 'added_tokens_decoder': {**OWN, str(N): token('<toy>', rstrip=True)}}},
    'tokenizer.json has them, nothing else does': {'fast': {'<toy>': dict(lstrip=True), '<extra>': {}}, 'tokenizer_config.json': BASE},
    'tokenizer.json has them, the map says otherwise': {'fast': {'<toy>': dict(lstrip=True)}, 'tokenizer_config.json': BASE, 'special_tokens_map.json': {'additional_special_tokens': [token('<toy>', rstrip=True)], 'eos_token': token(END, normalized=True)}},
    'the decoder over the map': {'fast': {}, 'tokenizer_config.json': {**BASE, 'mask_token': {**token('<mask>', lstrip=True), '__type': 'AddedToken'}, 'added_tokens_decoder': {**OWN, str(N): token('<toy>')}}, 'special_tokens_map.json': {'additional_special_tokens': [token('<toy>', rstrip=True)]}},
    'no config at all': {'fast': {'<toy>': {}}, 'config.json': {'model_type': 'clip'}},
}


def fast_json(extra):
    with tempfile.TemporaryDirectory() as d:
        write(d, {**SLOW, 'tokenizer_config.json': BASE})
        made = AutoTokenizer.from_pretrained(d)
        json_ = json.loads(made.backend_tokenizer.to_str())
    for i, (content, flags) in enumerate(extra.items()):
        json_['added_tokens'].append(dict(id=N + i, **token(content, **flags)))
    return json_


def write(directory, files):
    for name, content in files.items():
        if name == 'fast':
            name, content = 'tokenizer.json', fast_json(content)
        with open(os.path.join(directory, name), 'w') as f:
            f.write(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))


if __name__ == '__main__':
    out = []
    for name, files in VARIANTS.items():
        with tempfile.TemporaryDirectory() as d:
            write(d, files)
            tokenizer = AutoTokenizer.from_pretrained(d)
            encoded = [tokenizer(t, return_offsets_mapping=True) for t in TEXTS]
            kept = {f: (extra if f == 'fast' else None if f in ('vocab.json', 'merges.txt') else extra) for f, extra in files.items()}
            out.append(dict(name=name, files=kept, pad=tokenizer.pad_token_id, size=len(tokenizer), cases=[dict(text=t, ids=e.input_ids, offsets=e.offset_mapping) for t, e in zip(TEXTS, encoded)]))
    base = dict(vocab=VOCAB, merges=SLOW['merges.txt'], json=fast_json({}), transformers=transformers.__version__)
    target = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, 'added-tokens-golden.json')
    json.dump(dict(base=base, variants=out), open(target, 'w'), ensure_ascii=False, separators=(',', ':'))
