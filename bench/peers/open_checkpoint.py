"""Open a directory with real transformers: does what Narrows saved open in Python, and does it give the same numbers?

usage: open_checkpoint.py DIR [--reference FILE.safetensors] [--tolerance 1e-4]

Missing, unexpected or mis-shaped tensors are failures. `--reference` holds pixel_values and/or input_ids (with attention_mask) and
what was computed from them: image_embeds, text_embeds, logits_per_image, hidden states. Exit code 0 only if all is well.
"""
import argparse
import os
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, CLIPImageProcessor, CLIPModel


def check_model(directory, fail):
    model, info = CLIPModel.from_pretrained(directory, dtype=torch.float32, attn_implementation='eager', output_loading_info=True,
                                            ignore_mismatched_sizes=True)
    for kind in ('missing_keys', 'unexpected_keys', 'mismatched_keys', 'error_msgs'):
        # `position_ids` is a buffer that old checkpoints store and the model makes itself
        names = [n for n in info[kind] if not str(n).endswith('position_ids')]
        if names:
            fail(f'{kind}: {", ".join(map(str, names[:5]))}{" ..." if len(names) > 5 else ""}')
    v, t = model.config.vision_config, model.config.text_config
    print(f'model: {len(model.state_dict())} tensors, {sum(p.numel() for p in model.parameters())} parameters, '
          f'vision {v.num_hidden_layers}x{v.hidden_size} image {v.image_size} patch {v.patch_size}, '
          f'text {t.num_hidden_layers}x{t.hidden_size} vocabulary {t.vocab_size}')
    for name, parameter in model.named_parameters():
        if not parameter.isfinite().all():
            fail(f'{name} holds values that are not finite')
    return model.eval()


def check_reference(model, path, tolerance, fail):
    reference = load_file(path)
    inputs = {k: reference[k] for k in ('pixel_values', 'input_ids', 'attention_mask') if k in reference}
    inputs |= {k: inputs[k].long() for k in inputs if k != 'pixel_values'}
    if not inputs:
        return fail(f'{path} holds neither pixel_values nor input_ids')
    mine = {}
    with torch.no_grad():
        if 'pixel_values' in inputs:
            v = model.vision_model(inputs['pixel_values'], output_hidden_states=True)
            mine['image_embeds'] = torch.nn.functional.normalize(model.visual_projection(v.pooler_output), dim=-1)
            mine |= {f'vision.hidden_states.{i}': h for i, h in enumerate(v.hidden_states)}
        if 'input_ids' in inputs:
            t = model.text_model(inputs['input_ids'], inputs.get('attention_mask'), output_hidden_states=True)
            mine['text_embeds'] = torch.nn.functional.normalize(model.text_projection(t.pooler_output), dim=-1)
            mine |= {f'text.hidden_states.{i}': h for i, h in enumerate(t.hidden_states)}
        if 'pixel_values' in inputs and 'input_ids' in inputs:
            mine['logits_per_image'] = model.logit_scale.exp() * mine['image_embeds'] @ mine['text_embeds'].T
    compared = [k for k in mine if k in reference]
    if not compared:
        fail(f'{path} holds none of {", ".join(list(mine)[:4])}')
    for name in compared:
        theirs = reference[name].float()
        if theirs.shape != mine[name].shape:
            fail(f'{name}: {tuple(theirs.shape)} in the file, {tuple(mine[name].shape)} here')
            continue
        error = float((mine[name] - theirs).abs().max() / mine[name].abs().max())
        print(f'{name}: relative error {error:.1e}')
        if not error <= tolerance:
            fail(f'{name} departs by {error:.1e}')


def check_tokenizer(directory, model, fail):
    if not os.path.exists(f'{directory}/tokenizer.json'):
        return print('tokenizer: none in the directory')
    tokenizer = AutoTokenizer.from_pretrained(directory)
    encoded = tokenizer(['a photo of a dog', 'dog'], padding=True, return_tensors='pt')
    print(f'tokenizer: {type(tokenizer).__name__}, {len(tokenizer)} entries, "a photo of a dog" -> {encoded.input_ids[0].tolist()}')
    if len(tokenizer) > model.config.text_config.vocab_size:
        fail(f'the tokenizer has {len(tokenizer)} entries, the model {model.config.text_config.vocab_size}')
    eos = model.config.text_config.eos_token_id
    if eos != 2 and tokenizer.eos_token_id is not None and tokenizer.eos_token_id != eos:
        fail(f"EOS is {tokenizer.eos_token_id} in the tokenizer, {eos} in config.json")
    with torch.no_grad():
        model.get_text_features(encoded.input_ids, encoded.attention_mask)


def check_processor(directory, model, fail):
    if not os.path.exists(f'{directory}/preprocessor_config.json'):
        return print('image processor: none in the directory')
    from PIL import Image
    processor = CLIPImageProcessor.from_pretrained(directory)
    pixels = processor(Image.new('RGB', (100, 70), (200, 30, 90)), return_tensors='pt').pixel_values
    print(f'image processor: 100x70 -> {tuple(pixels.shape)}')
    size = model.config.vision_config.image_size
    if tuple(pixels.shape[-2:]) != (size, size):
        fail(f'the processor makes {tuple(pixels.shape[-2:])}, the model wants {size}')
    else:
        with torch.no_grad():
            model.get_image_features(pixels)


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('directory'), p.add_argument('--reference'), p.add_argument('--tolerance', type=float, default=1e-4)
    a = p.parse_args()
    failures = []
    model = check_model(a.directory, failures.append)
    check_tokenizer(a.directory, model, failures.append)
    check_processor(a.directory, model, failures.append)
    if a.reference:
        check_reference(model, a.reference, a.tolerance, failures.append)
    for failure in failures:
        print('FAILED:', failure)
    print('OK' if not failures else f'{len(failures)} failures')
    sys.exit(bool(failures))
