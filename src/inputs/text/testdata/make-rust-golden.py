"""Writes rust-golden.json.gz: odd texts through many small tokenizers, ids and offsets (code points) by Hugging Face's Rust tokenizers.
Usage: pip install tokenizers==0.23.3; python make-rust-golden.py [seed=11] [number of random texts=70]"""
import gzip, json, os, random, sys, tokenizers
from tokenizers import Tokenizer
HERE=os.path.dirname(os.path.abspath(__file__))
random.seed(int(sys.argv[1]) if len(sys.argv)>1 else 11)
N=int(sys.argv[2]) if len(sys.argv)>2 else 70
clip=json.load(gzip.open(os.path.join(HERE,'clip-tokenizer.json.gz')))
alpha=list("abcdehilopstuxyzABCΣσςÀé ßẞİıﬁＡ日本語の字한국어각\u1112\u1161\u11ab") + [" ","  ","\t","\n","\r\n","\u00a0","\u3000","\u200b","\u200d","\ufeff","\u0085","e\u0301","a\u0323\u0301","a\u0301\u0323","o\u0302\u0300","\u0301","🐱","👨‍👩‍👧","🏳️‍🌈","\ufe0f","हिन्दी","العربية","'","'s","'t","'re","n't","-","_",".","...","!","?",",","1","23","½","²","$","€","%","&","#","@","\\","/","“","”","’","—","<unk>","<bos>","<|endoftext|>","ΣΑΣ ","Σ","Å","Ω","ﬃ","①","cat","dog","photo","a","of","the","\u0307","i\u0307","İ","\x00","\x07","\ufffd","𝒳","ａ"]
def text():
    return "".join(random.choice(alpha) for _ in range(random.randint(0,14)))
texts=["", " ", "a photo of a cat", "naïve café — déjà vu", "ΣΑΣ ΟΔΟΣ", "A Photo, of the CAT's dog!", "e\u0301te\u0301"]+[text() for _ in range(N)]
special=["<pad>","<unk>","<bos>","<eos>"]
wl={w:i for i,w in enumerate(special+["a","photo","of","cat","dog","the","naïve","café","'","s","t",",",".","!","...","日","本","字","語","e","σ"])}
added=[{"id":i,"content":s,"single_word":False,"lstrip":False,"rstrip":False,"normalized":False,"special":True} for i,s in enumerate(special)]
tmpl={"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<bos>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"<eos>","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":0}}],"special_tokens":{"<bos>":{"id":"<bos>","ids":[2],"tokens":["<bos>"]},"<eos>":{"id":"<eos>","ids":[3],"tokens":["<eos>"]}}}
base={"version":"1.0","truncation":None,"padding":None,"decoder":None}
T={}
def wlt(pre,norm=None,post=tmpl,ad=added):
    return {**base,"added_tokens":ad,"normalizer":norm,"pre_tokenizer":pre,"post_processor":post,"model":{"type":"WordLevel","vocab":wl,"unk_token":"<unk>"}}
T["clip"]=clip
T["wl-ws"]=wlt({"type":"Whitespace"},{"type":"Lowercase"})
T["wl-bert"]=wlt({"type":"BertPreTokenizer"},{"type":"BertNormalizer","clean_text":True,"handle_chinese_chars":True,"strip_accents":None,"lowercase":True})
T["wl-wss"]=wlt({"type":"WhitespaceSplit"},{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Strip","strip_left":True,"strip_right":True}]})
T["wl-punct"]=wlt({"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Punctuation","behavior":"Contiguous"},{"type":"Digits","individual_digits":True}]},{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"},{"type":"Lowercase"}]})
ad2=[dict(a,lstrip=(a["id"]==1),rstrip=(a["id"]==2),single_word=(a["id"]==0)) for a in added]+[{"id":wl["dog"],"content":"dog","single_word":True,"lstrip":True,"rstrip":False,"normalized":True,"special":False}]
T["wl-added"]=wlt({"type":"Whitespace"},{"type":"Lowercase"},tmpl,ad2)
for b in ["MergedWithPrevious","MergedWithNext","Isolated","Removed","Contiguous"]:
    T["wl-split-"+b]=wlt({"type":"Split","pattern":{"Regex":"[\\s.!]"},"behavior":b,"invert":False})
# byte-level GPT2-like with trim
bl=tokenizers.pre_tokenizers.ByteLevel.alphabet(); bl=sorted(bl)
gv={c:i+4 for i,c in enumerate(bl)}; merges=[]
for m in [("c","a"),("ca","t"),("Ġ","ca"),("Ġca","t"),("d","o"),("do","g"),("o","f"),("Ġ","of"),("Ġ","Ġ")]:
    merges.append(list(m)); gv.setdefault("".join(m),len(gv)+4)
gv={**{s:i for i,s in enumerate(special)},**gv}
for ps in (True,False):
    T[f"gpt2-{ps}"]={**base,"added_tokens":added,"normalizer":None,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":ps,"trim_offsets":True,"use_regex":True},"post_processor":{"type":"ByteLevel","add_prefix_space":ps,"trim_offsets":True,"use_regex":True},"model":{"type":"BPE","vocab":gv,"merges":merges,"unk_token":None,"dropout":None,"continuing_subword_prefix":None,"end_of_word_suffix":None,"fuse_unk":False,"byte_fallback":False,"ignore_merges":False}}
    T[f"roberta-{ps}"]={**T[f"gpt2-{ps}"],"post_processor":{"type":"RobertaProcessing","sep":["<eos>",3],"cls":["<bos>",2],"trim_offsets":True,"add_prefix_space":ps}}
# llama-like
lv={s:i for i,s in enumerate(special)}
for b in range(256): lv[f"<0x{b:02X}>"]=len(lv)
for c in "▁abcdefghilostx": lv[c]=len(lv)
lm=[]
for m in [("▁","c"),("c","a"),("ca","t"),("▁","cat"),("o","f"),("▁","of"),("d","o"),("do","g")]:
    lm.append(list(m)); lv.setdefault("".join(m),len(lv))
def llama(bf,fuse,norm,pre): return {**base,"added_tokens":added,"normalizer":norm,"pre_tokenizer":pre,"post_processor":tmpl,"model":{"type":"BPE","vocab":lv,"merges":lm,"unk_token":"<unk>","dropout":None,"continuing_subword_prefix":None,"end_of_word_suffix":None,"fuse_unk":fuse,"byte_fallback":bf,"ignore_merges":False}}
ln={"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}
T["llama"]=llama(True,True,ln,None)
T["llama-unk"]=llama(False,True,ln,None)
T["llama-nofuse"]=llama(False,False,None,{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":True})
T["meta-first"]=llama(True,True,None,{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":False})
uv=[["<pad>",0],["<unk>",0],["<bos>",0],["<eos>",0]]+[[c,-5.0-i*0.1] for i,c in enumerate("▁abcdefghilopstuxy'")]+[["▁a",-3.0],["▁cat",-4.1],["photo",-4.2],["▁of",-4.3],["og",-4.9],["the",-4.4],["...",-6.0]]
T["unigram"]={**base,"added_tokens":added,"normalizer":{"type":"Lowercase"},"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":True},"post_processor":tmpl,"model":{"type":"Unigram","unk_id":1,"vocab":uv,"byte_fallback":False}}
wp={w:i for i,w in enumerate(special+list("abcdehilopstuxyz日本語字")+["##"+c for c in "abcdehilopstuxyz"]+["photo","cat","##og",".","!","'"])}
T["wordpiece"]={**base,"added_tokens":added,"normalizer":{"type":"BertNormalizer","clean_text":True,"handle_chinese_chars":True,"strip_accents":None,"lowercase":True},"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"BertProcessing","sep":["<eos>",3],"cls":["<bos>",2]},"model":{"type":"WordPiece","vocab":wp,"unk_token":"<unk>","continuing_subword_prefix":"##","max_input_chars_per_word":100}}
out=[]
for name,j in T.items():
    t=Tokenizer.from_str(json.dumps(j))
    cases=[]
    for s in texts:
        e=t.encode(s); cases.append({"text":s,"ids":e.ids,"offsets":[list(o) for o in e.offsets]})
    out.append({"name":name,"json":j if name!="clip" else None,"cases":cases})
data=json.dumps(out,ensure_ascii=False,separators=(',',':')).encode()
open(os.path.join(HERE,'rust-golden.json.gz'),'wb').write(gzip.compress(data,9,mtime=0))
