"""Do LLaVAs that Narrows tunes open in Python, and those that Python saves open in Narrows, with the same numbers?

usage: check_llava_python.py WORK [--model DIR]

Tunes MODEL (the shipped small LLaVA) for a few steps on scenes in WORK, through a Vittle bottleneck and by LoRA, with the command line;
opens the results with transformers, docs/examples/vittle_reader.py and PEFT; saves models in transformers' forms and opens those in Narrows.
Prints the largest difference of every comparison; exit code 0 only if all lie within bounds. Needs `npm ci` and bench/peers/setup.sh.
"""
import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoProcessor, AutoTokenizer, LlavaForConditionalGeneration, PreTrainedTokenizerFast

root = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / 'docs' / 'examples'))
import vittle_reader  # noqa: E402

TOLERANCE = 1e-4  # of logits, absolute
ROUNDING = 4  # two float32 programs may lie as many times as far apart as PyTorch's float32 lies from its float64
NEW_TOKENS = 12
failures = []
torch.set_num_threads(1)


def check(what, ok, found):
    print(f'{"ok    " if ok else "FAILED"} {what}: {found}')
    if not ok:
        failures.append(what)


def narrows(*arguments):
    command = ['node', '--import', 'tsx', str(root / 'src/cli/main.ts'), *map(str, arguments)]
    subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)


def tune(work, start, name, *flags):
    """A short run; one that is finished is not repeated."""
    out = work / name
    if not (out / 'training_args.json').exists():
        narrows('train', 'tune', '--model', start, '--data-path', work / 'scenes/llava.json', '--output-dir', out, '--max-steps', 4,
                '--per-device-train-batch-size', 2, '--learning-rate', 3e-3, '--warmup-steps', 0, '--num-threads', 1, '--quiet', *flags)
    return out


def open_plain(directory, **options):
    """LlavaForConditionalGeneration in float32 and eager, every tensor found."""
    model, info = LlavaForConditionalGeneration.from_pretrained(directory, attn_implementation='eager', output_loading_info=True, **options)
    for kind in ('missing_keys', 'unexpected_keys', 'mismatched_keys', 'error_msgs'):
        if info[kind]:
            check(f'{directory.name}: {kind}', False, list(info[kind])[:5])
    return model.float().eval()


def logits(model, batch):
    with torch.no_grad():
        return model(**batch).logits[batch['attention_mask'].bool()]


def rounding(directory, processor, chats):
    """How far PyTorch's own float32 lies from its float64 in a model: a trained one whose heads attend sharply multiplies rounding."""
    single, double = open_plain(directory), open_plain(directory).double()
    far = 0.0
    for chat in chats:
        if not chat['images']:
            continue
        # Alone, without padding: rows of padding only are NaN in float64.
        batch = batch_of(processor, [chat])
        exact = logits(double, {k: v.double() if v.is_floating_point() else v for k, v in batch.items()})
        far = max(far, float((logits(single, batch).double() - exact).abs().max()))
    return far


def compare(what, mine, path, batch, rounds):
    """Logits of all tokens that are no padding. `rounds`: of the plain model, as `rounding` has it."""
    theirs = load_file(path)['logits'][batch['attention_mask'].bool()]
    difference = float((mine - theirs).abs().max())
    bound = max(TOLERANCE, ROUNDING * rounds)
    check(what, difference <= bound, f'largest difference {difference:.1e} of logits up to {float(mine.abs().max()):.1f} '
          f'(bound {bound:.1e}; float32 rounds PyTorch by {rounds:.1e})')


def parts(messages):
    """Contents as lists of parts, as Hugging Face's templates take them."""
    def content(text):
        pieces = text.split('<image>\n')
        return [p for i, t in enumerate(pieces) for p in ([{'type': 'image'}] if i else []) + ([{'type': 'text', 'text': t}] if t else [])]
    return [{'role': m['role'], 'content': content(m['content'])} for m in messages]


def conversations(work):
    """A picture and three turns, text alone, two pictures; the first record's questions."""
    records = json.loads((work / 'scenes/llava.json').read_text())[:3]
    role = {'human': 'user', 'gpt': 'assistant'}
    turns = [[{'role': role[t['from']], 'content': t['value']} for t in r['conversations']] for r in records]
    images = [str(work / 'scenes' / r['image']) for r in records]
    return [
        {'messages': turns[0][:5], 'images': images[:1]},
        {'messages': [{'role': 'user', 'content': 'what is the name of this Zebra ?'}], 'images': []},
        {'messages': [{'role': 'user', 'content': '<image>\n<image>\nhow many things are in the picture ?'}], 'images': images[1:]},
    ]


def check_tokenizer(directory, chats, ours):
    """Ids and pixels of AutoProcessor, and ids of the two tokenizer classes, against ours."""
    processor = AutoProcessor.from_pretrained(directory)
    print(f'{type(processor).__name__} with {type(processor.tokenizer).__name__} and {type(processor.image_processor).__name__}')
    auto, fast = AutoTokenizer.from_pretrained(directory), PreTrainedTokenizerFast.from_pretrained(directory)
    pixels = load_file(f'{ours["path"]}.safetensors')
    for i, (chat, mine) in enumerate(zip(chats, ours['results'])):
        text = processor.apply_chat_template(parts(chat['messages']), add_generation_prompt=True)
        plain = auto.apply_chat_template(chat['messages'], add_generation_prompt=True, tokenize=False)
        check(f'template, conversation {i}: parts and plain texts', text == plain, 'equal' if text == plain else (text, plain))
        images = [Image.open(path) for path in chat['images']] or None
        encoded = processor(text=text, images=images, return_tensors='pt')
        ids = encoded.input_ids[0].tolist()
        check(f'ids, conversation {i}', ids == mine['ids'], f'{len(ids)} tokens' if ids == mine['ids'] else (ids, mine['ids']))
        if images:
            difference = float((encoded.pixel_values - pixels[str(i)]).abs().max())
            check(f'pixels, conversation {i}', difference <= 1e-5, f'largest difference {difference:.1e}')
        same = auto(plain).input_ids == fast(plain).input_ids
        check(f'AutoTokenizer and PreTrainedTokenizerFast, conversation {i}', same, f'{len(auto(plain).input_ids)} tokens')
        back = auto.decode(mine['ids'], skip_special_tokens=True)
        check(f'decoded, conversation {i}', bool(back) and '<image>' not in back, repr(back[:60]))
    return processor


def batch_of(processor, chats):
    """All conversations padded on the left, as `generate` wants them."""
    processor.tokenizer.padding_side = 'left'
    texts = [processor.apply_chat_template(parts(c['messages']), add_generation_prompt=True) for c in chats]
    images = [Image.open(path) for c in chats for path in c['images']]
    return dict(processor(text=texts, images=images, padding=True, return_tensors='pt'))


def save_for_us(path, batch):
    save_file({k: (v if k == 'pixel_values' else v.to(torch.int32)).contiguous() for k, v in batch.items()
               if k in ('input_ids', 'attention_mask', 'pixel_values')}, path)


NAMES = (('language_model.model.', 'model.language_model.'), ('language_model.lm_head.', 'lm_head.'),
         ('vision_tower.', 'model.vision_tower.'), ('multi_modal_projector.', 'model.multi_modal_projector.'))


def in_memory(name):
    """A name of the old layout in the new one; names of the new one stay."""
    return next((new + name.removeprefix(old) for old, new in NAMES if name.startswith(old)), name)


def old_name(name):
    return next((old + name.removeprefix(new) for old, new in NAMES if name.startswith(new)), name)


def save_variants(work, model, processor):
    """What transformers writes, with both kinds of names, in shards, in bfloat16."""
    variants = {}
    def variant(name, save):
        variants[name] = work / name
        shutil.rmtree(variants[name], ignore_errors=True)
        save(variants[name])
        processor.save_pretrained(variants[name])
    variant('py-plain', lambda d: model.save_pretrained(d))
    def renamed(directory):
        model.save_pretrained(directory)
        stored = load_file(directory / 'model.safetensors')
        names = ({in_memory(n): w for n, w in stored.items()} if any(in_memory(n) != n for n in stored) else
                 {old_name(n): w for n, w in stored.items()})
        save_file(names, directory / 'model.safetensors', {'format': 'pt'})
    variant('py-other-names', renamed)
    variant('py-shards-bf16', lambda d: LlavaForConditionalGeneration.from_pretrained(variants['py-plain'], dtype=torch.bfloat16)
            .save_pretrained(d, max_shard_size='2MB'))
    return variants


def main(work, start):
    work.mkdir(parents=True, exist_ok=True)
    if not (work / 'scenes/llava.json').exists():
        narrows('scenes', '--count', 8, '--llava', '--no-masks', '--width', 120, '--height', 90, '--output', work / 'scenes', '--quiet')
    vittle = {
        'learnt prior': tune(work, start, 'vittle', '--method', 'vittle', '--prior', 'learnable', '--alpha-schedule', 'constant'),
        'two layers, official switches': tune(work, start, 'vittle-official', '--method', 'vittle', '--bottleneck-layer', '1,2',
                                              '--half-log-kl', '--index-split', '--alpha-end', 0.3, '--alpha-inference', 0.5),
        'passing on': tune(work, start, 'vittle-pass', '--method', 'vittle', '--bottleneck-init', 'pass', '--kl-charge', 'token',
                           '--free-nats', 1, '--alpha-schedule', 'constant'),
        'deterministic': tune(work, start, 'vittle-deterministic', '--method', 'vittle', '--control', 'deterministic'),
    }
    lora = ['--method', 'lora', '--lora-r', 4, '--lora-alpha', 8]
    adapter, merged = tune(work, start, 'lora', *lora), tune(work, start, 'lora-merged', *lora, '--merge-lora')

    chats = conversations(work)
    first = vittle['learnt prior']
    processor = AutoProcessor.from_pretrained(first)
    batch = batch_of(processor, chats)
    save_for_us(work / 'batch.safetensors', batch)
    variants = save_variants(work, open_plain(merged), processor)

    jobs = [{'kind': 'chat', 'model': str(first), 'chats': chats, 'output': str(work / 'chat.json'), 'newTokens': NEW_TOKENS}]
    def job(name, directory, **more):
        path = work / f'out-{name}.safetensors'
        jobs.append({'kind': 'logits', 'model': str(directory), 'inputs': str(work / 'batch.safetensors'), 'output': str(path), **more})
        return path
    ours = {name: (job(f'{d.name}', d), job(f'{d.name}-plain', d, alpha=0)) for name, d in vittle.items()}
    ours_merged = job('merged', merged)
    ours_variants = {name: job(name, d) for name, d in variants.items()}
    (work / 'jobs.json').write_text(json.dumps(jobs))
    subprocess.run(['node', '--import', 'tsx', str(root / 'bench/peers/llava_values.ts'), str(work / 'jobs.json')], cwd=root, check=True)

    answers = json.loads((work / 'chat.json').read_text())
    check_tokenizer(first, chats, {'results': answers, 'path': work / 'chat.json'})
    for name, directory in vittle.items():
        through, without = ours[name]
        model = open_plain(directory)
        baseline = logits(model, batch)
        rounds = rounding(directory, processor, chats)
        compare(f'plain model, {name}', baseline, without, batch, rounds)
        handle = vittle_reader.attach(model, directory)
        narrowed = logits(model, batch)
        compare(f'through the bottleneck, {name}', narrowed, through, batch, rounds)
        effect = float((narrowed - baseline).abs().max())
        check(f'the bottleneck changes logits, {name}', effect > 0.01, f'by up to {effect:.1f}')
        handle.remove()
        check(f'removed again, {name}', torch.equal(logits(model, batch), baseline), 'equal to the bit')
    model = vittle_reader.load(first, attn_implementation='eager')
    for i, chat in enumerate(chats):
        asked = {'messages': chat['messages'][:1], 'images': chat['images']}
        inputs = batch_of(processor, [asked]) if chat['images'] else dict(processor(
            text=processor.apply_chat_template(parts(asked['messages']), add_generation_prompt=True), return_tensors='pt'))
        new = model.generate(**inputs, max_new_tokens=NEW_TOKENS, do_sample=False)[0, inputs['input_ids'].shape[1]:]
        text = processor.tokenizer.decode(new, skip_special_tokens=True)
        check(f'greedy answer through the bottleneck, {i}', text.strip() == answers[i]['answer'], repr(text))
    rounds = rounding(merged, processor, chats)
    for name, directory in variants.items():
        names = 'old names' if any(in_memory(n) != n for p in directory.glob('*.safetensors') for n in load_file(p)) else 'new names'
        files = len(list(directory.glob('*.safetensors')))
        mine = logits(LlavaForConditionalGeneration.from_pretrained(directory, attn_implementation='eager').float().eval(), batch)
        compare(f'saved by Python, {name} ({names}, {files} file{"s" if files > 1 else ""})', mine, ours_variants[name], batch, rounds)
    from peft import PeftModel
    with_adapter = logits(PeftModel.from_pretrained(open_plain(Path(start)), adapter).eval(), batch)
    compare('our LoRA adapter in PEFT, beside our merged model', with_adapter, ours_merged, batch, rounds)
    compare('our merged model in transformers', logits(open_plain(merged), batch), ours_merged, batch, rounds)
    effect = float((with_adapter - logits(open_plain(Path(start)), batch)).abs().max())
    check('the adapter changes logits', effect > 0.01, f'by up to {effect:.1f}')


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('work', type=Path), p.add_argument('--model', type=Path, default=root / 'models/scene-llava')
    a = p.parse_args()
    main(a.work.resolve(), a.model.resolve())
    print('OK' if not failures else f'{len(failures)} failures')
    sys.exit(bool(failures))
