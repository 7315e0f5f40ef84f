"""What transformers' generate gives on src/models/llava/testdata/llava-tiny under logits processors and beam search. Writes generation.json here."""
import itertools, json, os, warnings
import torch, transformers
from safetensors.torch import load_file
from transformers import LlavaForConditionalGeneration

warnings.filterwarnings('ignore')
transformers.logging.set_verbosity_error()
here = os.path.dirname(os.path.abspath(__file__))
folder = os.path.join(here, '../../models/llava/testdata/llava-tiny')
model = LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, attn_implementation='eager').eval()
data = load_file(os.path.join(folder, 'outputs.safetensors'))
prompts = [row[mask == 1].tolist() for row, mask in zip(data['input_ids'].long(), data['attention_mask'])]
# The questions alone: what comes before the first supervised token.
prompts = [[t for t, l in zip(row.tolist(), lab.tolist()) if l == -100][: int(m.sum())] for row, lab, m in zip(data['input_ids'].long(), data['labels'], data['attention_mask'])]
image = model.config.image_token_index
kinds = [
    dict(no_repeat_ngram_size=1), dict(no_repeat_ngram_size=2), dict(no_repeat_ngram_size=3, repetition_penalty=1.4),
    dict(suppress_tokens='top3'), dict(begin_suppress_tokens='top2'), dict(bad_words_ids='top'), dict(min_new_tokens=6, eos='often'), dict(min_length='plus4', eos='often'),
    dict(num_beams=2), dict(num_beams=3, length_penalty=0.0), dict(num_beams=4, length_penalty=2.5, eos='often'), dict(num_beams=3, eos='often'),
    dict(num_beams=3, eos='often', early_stopping=True), dict(num_beams=3, eos='often', early_stopping='never', length_penalty=1.5), dict(num_beams=2, eos='often', length_penalty=-1.0),
    dict(num_beams=3, no_repeat_ngram_size=2, eos='often'), dict(num_beams=2, repetition_penalty=1.5, min_new_tokens=4, eos='often', suppress_tokens='top1'), dict(num_beams=5, bad_words_ids='top'),
]
rows = []
for number, prompt in enumerate(prompts):
    ids = torch.tensor([prompt])
    pixels = data['pixel_values'][number:number + 1] if image in prompt else None
    base = dict(input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=pixels, max_new_tokens=10, do_sample=False, pad_token_id=0)
    greedy = model.generate(**base, eos_token_id=None)[0, len(prompt):].tolist()
    for kind in kinds:
        options = dict(kind)
        often = options.pop('eos', None)
        # End tokens that beams do meet: two of the greedy answer, from its middle on.
        eos = list(dict.fromkeys(greedy[3:]))[:2] if often else [2]
        if 'suppress_tokens' in options: options['suppress_tokens'] = list(dict.fromkeys(greedy))[:int(options['suppress_tokens'][3:])]
        if 'begin_suppress_tokens' in options: options['begin_suppress_tokens'] = list(dict.fromkeys(greedy))[:2]
        if 'bad_words_ids' in options: options['bad_words_ids'] = [greedy[1:2], greedy[2:4], greedy[0:3], [prompt[-1], greedy[0]]]
        if options.get('min_length') == 'plus4': options['min_length'] = len(prompt) + 4
        out = model.generate(**base, **options, eos_token_id=eos, return_dict_in_generate=True, output_scores=True)
        new = out.sequences[0, len(prompt):].tolist()
        cut = next((i + 1 for i, t in enumerate(new) if t in eos), len(new))
        rows.append(dict(prompt=prompt, image=number if pixels is not None else None, options=options, eos=eos, ids=new[:cut], score=float(out.sequences_scores[0]) if 'num_beams' in options else None))
facts = json.dumps(dict(made_by='make_generation.py', torch=torch.__version__, transformers=transformers.__version__, max_new_tokens=10))
with open(os.path.join(here, 'generation.json'), 'w') as file:
    file.write(facts[:-1] + ', "rows": [\n' + ',\n'.join(json.dumps(row) for row in rows) + '\n]}\n')
print(len(rows), 'rows;', sum(r['ids'] != x['ids'] for r, x in itertools.pairwise(rows)), 'differ from the one before')
