"""Writes siglip-golden.json.gz (tokenizers built as SigLIP's and SigLIP 2's are, on a small vocabulary; ids and offsets in code points by
Hugging Face's Rust tokenizers) and nmt-nfkc.bin.gz (SentencePiece's compiled nmt_nfkc rules, which SigLIP's tokenizer.json holds).
Usage: pip install tokenizers==0.22.1 sentencepiece==0.2.3; python make-siglip-golden.py [seed=5] [number of random texts=150]"""
import base64, gzip, io, itertools, json, os, random, sys
import sentencepiece
from tokenizers import Tokenizer, models, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
COLOURS, THINGS, PLACES = 'red blue green dark bright'.split(), 'dog cat house boat tree child'.split(), 'sea street garden naïve café'.split()
CORPUS = [f'a photo of a {c} {t} by the {p}' for c, t, p in itertools.product(COLOURS, THINGS, PLACES)] + ["it's two 12 dogs, isn't it?"] * 9


def fields(data):
    """Fields of one protobuf message: number, and a varint, bytes or 4 raw bytes."""
    def varint(i):
        value = shift = 0
        while True:
            value, more, i, shift = value | (data[i] & 127) << shift, data[i] & 128, i + 1, shift + 7
            if not more:
                return value, i
    i = 0
    while i < len(data):
        key, i = varint(i)
        if key & 7 == 0:
            value, i = varint(i)
        elif key & 7 == 2:
            n, i = varint(i)
            value, i = data[i:i + n], i + n
        else:
            value, i = data[i:i + 4], i + 4
        yield key >> 3, value


def train_unigram(size, **rules):
    """A Unigram model as T5's and SigLIP's are: padding 0, end 1, unknown 2. Returns its pieces with scores and its compiled rules."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_writer=out, vocab_size=size, hard_vocab_limit=False, num_threads=1,
                                             pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece='<pad>', minloglevel=2, **rules)
    names = sentencepiece.SentencePieceProcessor(model_proto=out.getvalue())
    pieces = [[names.id_to_piece(i), names.get_score(i)] for i in range(names.get_piece_size())]
    spec = next(v for k, v in fields(out.getvalue()) if k == 3)
    return pieces, next(v for k, v in fields(spec) if k == 2)


def added(*names):
    return [dict(id=i, content=n, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True) for i, n in enumerate(names)]


def ending(name, token_id):
    parts = [{'Sequence': {'id': 'A', 'type_id': 0}}, {'SpecialToken': {'id': name, 'type_id': 0}}]
    return dict(type='TemplateProcessing', single=parts, pair=parts + [{'Sequence': {'id': 'B', 'type_id': 0}}], special_tokens={name: dict(id=name, ids=[token_id], tokens=[name])})


BASE = dict(version='1.0', truncation=None, padding=None, decoder=None)
PUNCTUATION = r'''[!"\#\$%\&'\(\)\*\+,\-\./:;<=>\?@\[\\\]\^_`\{\|\}\~]'''


def siglip(pieces, charsmap):
    replace = lambda pattern, content: dict(type='Replace', pattern={'Regex': pattern}, content=content)
    strip = lambda left: dict(type='Strip', strip_left=left, strip_right=True)
    steps = [dict(type='Lowercase'), replace(PUNCTUATION, ''), replace(r'\s+', ' '), strip(True),
             dict(type='Precompiled', precompiled_charsmap=base64.b64encode(charsmap).decode()), strip(False), replace(' {2,}', '▁')]
    return {**BASE, 'added_tokens': added('<pad>', '</s>', '<unk>'), 'normalizer': dict(type='Sequence', normalizers=steps),
            'pre_tokenizer': dict(type='Metaspace', replacement='▁', prepend_scheme='always', split=True), 'post_processor': ending('</s>', 1),
            'model': dict(type='Unigram', unk_id=2, vocab=pieces, byte_fallback=False)}


def siglip2(size):
    """Gemma's kind: byte pairs over text whose blanks are ▁, bytes for what is unknown."""
    specials = ['<pad>', '<eos>', '<bos>', '<unk>']
    tokenizer = Tokenizer(models.BPE(unk_token='<unk>'))
    trainer = trainers.BpeTrainer(vocab_size=size - 256, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator((line.replace(' ', '▁') for line in CORPUS), trainer)
    model = json.loads(tokenizer.to_str())['model']
    vocab = sorted(model['vocab'], key=model['vocab'].get)
    vocab = specials + [f'<0x{b:02X}>' for b in range(256)] + [v for v in vocab if v not in specials]
    merges = [m if isinstance(m, list) else m.split(' ') for m in model['merges']]
    return {**BASE, 'added_tokens': added(*specials), 'normalizer': dict(type='Replace', pattern={'String': ' '}, content='▁'),
            'pre_tokenizer': dict(type='Split', pattern={'String': ' '}, behavior='MergedWithPrevious', invert=False), 'post_processor': ending('<eos>', 1),
            'model': dict(type='BPE', dropout=None, unk_token='<unk>', continuing_subword_prefix=None, end_of_word_suffix=None, fuse_unk=True, byte_fallback=True,
                          ignore_merges=False, vocab={v: i for i, v in enumerate(vocab)}, merges=merges)}


def texts(seed, count):
    random.seed(seed)
    odd = list('abcdeghnoprstuxyABCΣσÀé ßİıﬁＡ日本字한각\u1112\u1161\u11ab') + ['  ', '\t', '\n', '\r\n', '\u00a0', '\u3000', '\u200b', '\u200d', '\ufeff', '\u0085', '\u00ad',
        'e\u0301', 'a\u0323\u0301', 'o\u0302\u0300', '\u0301', '🐱', '👨‍👩‍👧', '🏳️‍🌈', '\ufe0f', 'हिन्दी', 'العربية', 'ﷺ', 'ﾊﾟ', 'ｶﾞ', "'s", "n't", '-', '...', '!', '?', ',', '12', '½', '²', '①', '㈱',
        '$', '#', '@', '\\', '/', '“', '’', '—', '…', '<unk>', '<pad>', '</s>', '<eos>', '▁', '▁▁', '\x00', '\x07', '\x7f', '\ufffd', '𝒳', ' dog', ' cat', ' a', ' the', ' photo of', '℡', '™', 'ʼ', '˚', '´', '¨']
    fixed = ['', ' ', 'a photo of a cat', "A Photo, of the CAT's dog!", 'naïve café — déjà vu', 'e\u0301te\u0301', '…', '  two   blanks  ', 'a \u200b dog', 'ﬁrst ＦＵＬＬ ｗｉｄｔｈ ①②', '\u0301a', '...']
    return fixed + [''.join(random.choice(odd) for _ in range(random.randint(1, 14))) for _ in range(count)]


def cases(tokenizer_json, given):
    tokenizer = Tokenizer.from_str(json.dumps(tokenizer_json))
    encoded = [(t, tokenizer.encode(t)) for t in given]
    return [dict(text=t, ids=e.ids, offsets=[list(o) for o in e.offsets]) for t, e in encoded]


if __name__ == '__main__':
    given = texts(int(sys.argv[1]) if len(sys.argv) > 1 else 5, int(sys.argv[2]) if len(sys.argv) > 2 else 150)
    pieces, charsmap = train_unigram(160, normalization_rule_name='nmt_nfkc')
    out = []
    for name, tokenizer_json in (('siglip', siglip(pieces, charsmap)), ('siglip2', siglip2(420))):
        out.append(dict(name=name, json=tokenizer_json, cases=cases(tokenizer_json, given)))
    out[0]['json']['normalizer']['normalizers'][4]['precompiled_charsmap'] = 'nmt-nfkc.bin.gz'  # one file serves; the test puts it in
    write = lambda name, data: open(os.path.join(HERE, name), 'wb').write(gzip.compress(data, 9, mtime=0))
    write('siglip-golden.json.gz', json.dumps(out, ensure_ascii=False, separators=(',', ':')).encode())
    write('nmt-nfkc.bin.gz', charsmap)
