"""Writes decode-golden.json: random ids of small tokenizers back to text by Hugging Face's Rust tokenizers.
Usage: pip install tokenizers==0.22.2; python make-decode-golden.py"""
import json, os, random
import tokenizers
from tokenizers import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
random.seed(5)
special = ["<pad>", "<unk>", "<s>", "</s>", "<image>"]
added = [{"id": i, "content": s, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": i < 4}
         for i, s in enumerate(special)]
base = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None, "pre_tokenizer": None, "post_processor": None}
start = {s: i for i, s in enumerate(special)}

def grown(pieces):
    vocab = dict(start)
    for p in pieces:
        vocab.setdefault(p, len(vocab))
    return vocab

llama = grown(["<0x%02X>" % b for b in (0x0A, 0x41, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0)] + ["▁", "▁a", "▁cat", "s", ".", "▁▁", "é", "▁is"])
level = grown(sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())[::3] + ["Ġ", "Ġcat", "Ã", "©", "â", "Ċ", "a", "s"])
piece = grown(["cat", "##s", "##og", "d", ".", "!", "'", "m", "n't", "s", "##.", "you", "'re", "?", ","])
bpe = lambda v, **k: {"type": "BPE", "vocab": v, "merges": [], "unk_token": "<unk>", "dropout": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": False, **k}
wordpiece = {"type": "WordPiece", "vocab": piece, "unk_token": "<unk>", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
CASES = {
    "llama": {**base, "model": bpe(llama, byte_fallback=True), "decoder": {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}},
    "byte-level": {**base, "model": bpe(level), "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}},
    "metaspace": {**base, "model": bpe(llama), "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}},
    "wordpiece": {**base, "model": wordpiece, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False}},
    "wordpiece-clean": {**base, "model": wordpiece, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True}},
    "none": {**base, "model": bpe(llama), "decoder": None},
}
out = []
for name, spec in CASES.items():
    t = Tokenizer.from_str(json.dumps(spec))
    size = len(spec["model"]["vocab"])
    cases = []
    for n in [0, 1, 1, 1, 2, 2, 3, 3] + [random.randrange(4, 14) for _ in range(16)]:
        ids = [random.randrange(size) for _ in range(n)]
        cases.append({"ids": ids, "text": t.decode(ids, skip_special_tokens=True), "all": t.decode(ids, skip_special_tokens=False)})
    out.append({"name": name, "json": spec, "cases": cases})
with open(os.path.join(HERE, "decode-golden.json"), "w", encoding="utf-8") as f:
    json.dump(out, f, ensure_ascii=False, separators=(",", ":"))
