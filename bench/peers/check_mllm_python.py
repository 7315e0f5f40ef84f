"""Adapters of every family in PEFT: tunes each tiny checkpoint of make_mllm_tiny.py by `narrows train tune --method lora`, plain and merged.

usage: check_mllm_python.py WORK     a folder for what is written (torch 2.13.0 CPU, transformers 4.57.6, peft 0.21.2)

PEFT opens the adapter on the checkpoint, transformers opens the merged model; both must give the same logits of one conversation, other ones than before.
"""
import json, subprocess, sys
from pathlib import Path
import make_mllm_lora as lora
import make_mllm_tiny as tiny
import torch
from peft import PeftModel
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-4
failures = []


def check(what, good, detail):
    print('ok  ' if good else 'FAIL', what, detail)
    if not good: failures.append(what)


def open_model(directory):
    model, info = AutoModelForImageTextToText.from_pretrained(directory, dtype=torch.float32, attn_implementation='eager', output_loading_info=True)
    for kind in ('missing_keys', 'unexpected_keys', 'mismatched_keys'):
        if info[kind]: check(f'{directory}: {kind}', False, sorted(info[kind])[:5])
    return model.eval()


def logits(model, batch):
    with torch.no_grad(): return model(**batch).logits


def main(work):
    work.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (24, 20), (200, 30, 30)).save(work / 'red.png')
    turns = lambda colour: [{'from': 'human', 'value': '<image>\nWhat colour?'}, {'from': 'gpt', 'value': colour}]
    (work / 'data.json').write_text(json.dumps([{'id': str(i), 'image': 'red.png', 'conversations': turns(c)} for i, c in enumerate(('red', 'so red'))]))
    for name in lora.CHECKPOINTS:
        directory = ROOT / 'src/models' / name
        def tune(out, *flags):
            subprocess.run(['node', '--import', 'tsx', str(ROOT / 'src/cli/main.ts'), 'train', 'tune', '--method', 'lora', '--lora-r', '2', '--lora-alpha', '8',
                            '--lora-dropout', '0', '--model', str(directory), '--data-path', str(work / 'data.json'), '--output-dir', str(out), '--max-steps', '3',
                            '--per-device-train-batch-size', '2', '--learning-rate', '0.02', '--warmup-steps', '0', '--num-threads', '1', '--quiet', *flags], check=True, cwd=ROOT)
            return out
        stem = name.split('/')[-1]
        adapter = work / stem if (work / stem / 'adapter_model.safetensors').exists() else tune(work / stem)
        merged = work / f'{stem}-merged' if (work / f'{stem}-merged/model.safetensors').exists() else tune(work / f'{stem}-merged', '--merge-lora')
        batch = lora.batch_of(load_file(directory / 'outputs.safetensors'))
        batch.pop('labels')
        before, after = logits(open_model(directory), batch), logits(open_model(merged), batch)
        peft = PeftModel.from_pretrained(open_model(directory), adapter).eval()
        difference, effect = float((logits(peft, batch) - after).abs().max()), float((after - before).abs().max())
        check(f'{stem}: the adapter in PEFT beside the merged model', difference <= TOLERANCE, f'largest difference {difference:.1e} of logits up to {float(after.abs().max()):.1f}')
        check(f'{stem}: tuning changes logits', effect > .01, f'by up to {effect:.2f}')
        trained = sorted({n for n, p in peft.named_parameters() if 'lora_' in n or 'modules_to_save' in n})
        stored = len(load_file(adapter / 'adapter_model.safetensors'))
        check(f'{stem}: PEFT finds a place for every tensor', len(trained) == stored, f'{stored} tensors')


if __name__ == '__main__':
    tiny.fix_patch_positions()
    main(Path(sys.argv[1]).resolve())
    print('OK' if not failures else f'{len(failures)} failures')
    sys.exit(bool(failures))
