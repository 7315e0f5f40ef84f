"""Trains small SentencePiece models as SigLIP's, Llama's and Gemma's are, and writes them with what transformers makes of odd texts:
sentencepiece-golden.json.gz. Compiled rules are left out of the models and put in again by the test (../../testdata/nmt-nfkc.bin.gz).
Usage: pip install transformers==4.57.6 sentencepiece==0.2.3 protobuf; python make_sentencepiece.py [seed=7] [number of random texts=120]"""
import base64, gzip, io, itertools, json, os, random, shutil, sys, tempfile
import sentencepiece
from transformers import AutoTokenizer
from transformers.convert_slow_tokenizer import import_protobuf

HERE = os.path.dirname(os.path.abspath(__file__))
pb = import_protobuf()
COLOURS, THINGS, PLACES = 'red blue green dark bright'.split(), 'dog cat house boat tree child'.split(), 'sea street garden naïve café'.split()
CORPUS = [f'a photo of a {c} {t} by the {p}' for c, t, p in itertools.product(COLOURS, THINGS, PLACES)] + ["It's two 12 dogs, isn't it? USER: yes ASSISTANT: no"] * 9
ODD = list('abcdeghnoprstuxyABCΣσÀé ßİıﬁＡ日本語字한각') + ['  ', '   ', '\t', '\n', '\r\n', '\n\n', '\u00a0', '\u3000', '\u200b', '\u200d', '\ufeff', '\u0085', '\u00ad', 'e\u0301', '\u0301',
    '🐱', '👨‍👩‍👧', 'हिन्दी', 'ﷺ', 'ﾊﾟ', "'s", "n't", '-', '...', '!', '?', ',', '12', '345', '½', '①', '$', '#', '_', '“', '—', '<unk>', '<pad>', '</s>', '<s>', '<eos>', '<bos>', '</S>', '<toy>', '<TOY>', '▁', '▁▁',
    '\x00', '\x07', '\x7f', '\x1c', '\ufffd', '𝒳', ' dog', ' Dog', ' cat', ' a', ' the', ' photo of', ' naïve', '<image>', '<start_of_turn>', '<0x41>', 'sep', 'USER:', ' ASSISTANT:']
FIXED = ['', ' ', 'a photo of a cat', 'A Photo, of the CAT dog!', 'naïve café — déjà vu', '…', '  two   blanks  ', 'ﬁrst ＦＵＬＬ ①②', 'line\nbreak\n\nand  tab\t.', '🐱🐱 unknown 日本', 'Hello <s>.', 'a </s> dog</s>', '</s>',
    'dog </s>', 'USER: <image>\nwhat is it? ASSISTANT: no</s>USER: 12345', '<toy>a<toy> b', '▁a ▁', 'sepsep sep', '!!!', '!', '...a']


def train(**rules):
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_writer=out, hard_vocab_limit=False, num_threads=1, minloglevel=2, **rules)
    return out.getvalue()


LLAMA = dict(model_type='bpe', vocab_size=480, byte_fallback=True, normalization_rule_name='identity', remove_extra_whitespaces=False, split_digits=True, allow_whitespace_only_pieces=True)
SIGLIP = dict(tokenizer_class='SiglipTokenizer', eos_token='</s>', pad_token='</s>', unk_token='<unk>', do_lower_case=True, model_max_length=64)
T5 = dict(pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece='<pad>')
MODELS = {
    'siglip': dict(file='spiece.model', rules=dict(vocab_size=160, **T5), configs=[SIGLIP, {**SIGLIP, 'additional_special_tokens': ['<toy>']}, {**SIGLIP, 'do_lower_case': False, 'pad_token': '<pad>'}]),
    'siglip-user-symbols': dict(file='spiece.model', rules=dict(vocab_size=430, byte_fallback=True, user_defined_symbols=['sep', '日本'], **T5), configs=[SIGLIP]),
    'siglip-bpe': dict(file='spiece.model', rules=dict(vocab_size=160, model_type='bpe', user_defined_symbols=['sep'], **T5), configs=[SIGLIP]),
    'llama': dict(file='tokenizer.model', rules=LLAMA, configs=[
        dict(tokenizer_class='LlamaTokenizer', legacy=legacy, bos_token='<s>', eos_token='</s>', unk_token='<unk>', pad_token=None, add_bos_token=True, add_eos_token=eos, **more)
        for legacy, eos, more in ((True, False, {}), (False, False, {}), (False, True, {'additional_special_tokens': ['<image>', '<pad>']}), (True, False, {'add_prefix_space': False}), (False, False, {'add_prefix_space': False}))]),
    'llama-unigram': dict(file='tokenizer.model', rules={**LLAMA, 'model_type': 'unigram', 'vocab_size': 420}, configs=[dict(tokenizer_class='LlamaTokenizer', legacy=False, bos_token='<s>', eos_token='</s>', unk_token='<unk>')]),
    'gemma': dict(file='tokenizer.model', rules=dict(model_type='bpe', vocab_size=480, byte_fallback=True, normalization_rule_name='identity', remove_extra_whitespaces=False, add_dummy_prefix=False, split_digits=True,
                  allow_whitespace_only_pieces=True, pad_id=0, eos_id=1, bos_id=2, unk_id=3, pad_piece='<pad>', eos_piece='<eos>', bos_piece='<bos>', user_defined_symbols=['<start_of_turn>', '\n', '\n\n', '▁▁']),
                  configs=[dict(tokenizer_class='GemmaTokenizer', bos_token='<bos>', eos_token='<eos>', unk_token='<unk>', pad_token='<pad>'),
                           dict(tokenizer_class='GemmaTokenizer', bos_token='<bos>', eos_token='<eos>', unk_token='<unk>', pad_token='<pad>', add_bos_token=False, add_eos_token=True)]),
}


def texts(seed, count):
    random.seed(seed)
    return FIXED + [''.join(random.choice(ODD) for _ in range(random.randint(1, 14))) for _ in range(count)]


def golden(directory, config, given):
    json.dump(config, open(os.path.join(directory, 'tokenizer_config.json'), 'w'))
    fast = AutoTokenizer.from_pretrained(directory)
    slow = AutoTokenizer.from_pretrained(directory, use_fast=False)
    cases, apart = [], []
    for text in given:
        case = dict(text=text, ids=fast(text, verbose=False).input_ids)
        if fast.is_fast:
            case['offsets'] = [list(o) for o in fast(text, return_offsets_mapping=True).offset_mapping]
        cases.append(case)
        other = slow(text, verbose=False).input_ids
        if other != case['ids']:
            apart.append(text)
    return dict(config=config, fast=fast.is_fast, cases=cases, slow_differs=apart)


if __name__ == '__main__':
    given = texts(int(sys.argv[1]) if len(sys.argv) > 1 else 7, int(sys.argv[2]) if len(sys.argv) > 2 else 120)
    out = []
    for name, spec in MODELS.items():
        model = train(**spec['rules'])
        with tempfile.TemporaryDirectory() as directory:
            open(os.path.join(directory, spec['file']), 'wb').write(model)
            goldens = [golden(directory, config, given) for config in spec['configs']]
        proto = pb.ModelProto.FromString(model)
        rules = len(proto.normalizer_spec.precompiled_charsmap) > 0
        proto.normalizer_spec.ClearField('precompiled_charsmap')
        out.append(dict(name=name, file=spec['file'], nmt_nfkc=rules, model=base64.b64encode(proto.SerializeToString()).decode(), goldens=goldens))
        for g in goldens:
            print(name, len(g['cases']), 'texts; slow and fast differ on', len(g['slow_differs']), g['slow_differs'][:6])
    open(os.path.join(HERE, 'sentencepiece-golden.json.gz'), 'wb').write(gzip.compress(json.dumps(out, ensure_ascii=False, separators=(',', ':')).encode('utf-8', 'surrogatepass'), 9, mtime=0))
