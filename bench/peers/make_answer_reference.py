"""Make a reference file of attributions of an answer by a LLaVA: M2IB with its noise recorded, and the gradient at the embeddings.

usage: make_answer_reference.py DIR OUT.safetensors [--layers -1 1 -2 --beta 10 --steps 4 --samples 2 --variance 0.3 --seed 0]

Written plainly from the formulas (M2IB: arXiv 2312.17174, section 3): at every step the whole decoder runs on copies of the row, with the output
of one layer (−1: the embeddings, −2: the vision tower) replaced by λh + (1 − λ)(μ + sε) for the picture's and the question's tokens. μ and s² are mean and variance (times --variance) per
channel, of image tokens and of words apart. The fit is the sum of the answer's log-probabilities, teacher forced.
"""
import argparse

import torch
from safetensors.torch import save_file
from transformers import LlavaForConditionalGeneration


def answer_log_probabilities(logits, ids, answer):
    """[B, T, V] -> [B, K]: token k is foretold by the place before it."""
    log_probabilities = torch.log_softmax(logits.float(), -1)
    return torch.stack([log_probabilities[:, at - 1, ids[at]] for at in answer], 1)


def run(model, embeddings, layer=None, replaced=None):
    """Logits of embeddings [B, T, D]; the output of decoder block `layer` is replaced where there is one."""
    blocks = model.model.language_model.layers
    hooks = [blocks[layer].register_forward_hook(lambda *_: replaced)] if layer is not None and layer >= 0 else []
    try:
        return model(inputs_embeds=embeddings).logits
    finally:
        for hook in hooks:
            hook.remove()


def tower_output(model, pixels):
    """What the projector reads, [1, N, width]: the layers that the config names side by side, the class token left out where it says so."""
    config = model.config
    layers = config.vision_feature_layer if isinstance(config.vision_feature_layer, list) else [config.vision_feature_layer]
    states = model.model.vision_tower(pixels, output_hidden_states=True).hidden_states
    first = 1 if config.vision_feature_select_strategy == 'default' else 0
    return torch.cat([states[layer][:, first:] for layer in layers], -1).detach()


def reference(model, ids, pixels, image, words, answer, options):
    inputs = dict(input_ids=torch.tensor([ids]), pixel_values=pixels)
    states = model(**inputs, output_hidden_states=True).hidden_states
    embeddings = states[0].detach()
    out = {'pixel_values': pixels, 'input_ids': torch.tensor([ids]), 'image': torch.tensor(image), 'words': torch.tensor(words),
           'answer': torch.tensor(answer), 'log_probabilities': answer_log_probabilities(model(**inputs).logits, ids, answer)[0]}
    point = embeddings.clone().requires_grad_(True)
    answer_log_probabilities(run(model, point), ids, answer).sum().backward()
    out['gradient'] = point.grad[0]
    generator = torch.Generator().manual_seed(options.seed)
    for layer in options.layers:
        hidden = tower_output(model, pixels) if layer == -2 else states[layer + 1].detach()
        tokens, width = hidden.shape[1:]
        mean, deviation = torch.zeros(tokens, width), torch.ones(tokens, width)
        # On the tower's output all tokens are the picture's and play.
        kinds = (list(range(tokens)),) if layer == -2 else (image, words)
        players = sum(kinds, [])
        for kind in kinds:
            mean[kind] = hidden[0, kind].mean(0)
            deviation[kind] = hidden[0, kind].std(0).clamp(min=0.01) * options.variance ** 0.5
        noise = torch.randn(options.steps, options.samples, tokens, width, generator=generator)
        alpha = torch.full((tokens, width), 5.0, requires_grad=True)
        adam = torch.optim.Adam([alpha], lr=1.0)
        playing = torch.zeros(tokens, 1)
        playing[players] = 1
        standard = (hidden[0] - mean) / deviation
        nats = lambda a: torch.nn.functional.softplus(a) + 0.5 * ((torch.sigmoid(a) * standard) ** 2 + torch.sigmoid(-a) ** 2 - 1)
        fits = []
        for step in range(options.steps):
            adam.zero_grad()
            keep = torch.sigmoid(alpha)
            noisy = keep * hidden + (1 - keep) * (mean + deviation * noise[step])
            z = torch.where(playing.bool(), noisy, hidden)
            copies = embeddings.expand(options.samples, -1, -1)
            if layer == -2:
                logits = run(model, copies.index_copy(1, torch.tensor(image), model.model.multi_modal_projector(z)))
            else:
                logits = run(model, z) if layer < 0 else run(model, copies, layer, z)
            fit = answer_log_probabilities(logits, ids, answer).sum(1).mean()
            loss = options.beta * nats(alpha)[players].mean() - fit
            loss.backward()
            alpha.grad.mul_(playing)
            adam.step()
            with torch.no_grad():
                alpha.clamp_(-12, 12)
            fits.append(fit.item())
        name = f'layer{layer}'
        out |= {f'{name}.noise': noise, f'{name}.fit': torch.tensor(fits), f'{name}.nats': (nats(alpha).sum(1) * playing[:, 0]).detach()}
    return {k: v.detach().to(torch.int32 if v.dtype == torch.int64 else torch.float32).contiguous().clone() for k, v in out.items()}


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('directory'), p.add_argument('out')
    p.add_argument('--layers', type=int, nargs='+', default=[-1, 1, -2])
    p.add_argument('--beta', type=float, default=10.0), p.add_argument('--variance', type=float, default=0.3)
    p.add_argument('--steps', type=int, default=4), p.add_argument('--samples', type=int, default=2), p.add_argument('--seed', type=int, default=0)
    options = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    model = LlavaForConditionalGeneration.from_pretrained(options.directory, attn_implementation='eager').eval().requires_grad_(False)
    token = model.config.image_token_index
    count = model.config.image_seq_length
    ids = [1, 5, 6] + [token] * count + [11, 23, 42, 17, 9, 31, 77, 3]
    image = list(range(3, 3 + count))
    words = [3 + count, 4 + count, 5 + count, 6 + count]
    answer = [len(ids) - 3, len(ids) - 2, len(ids) - 1]
    size = model.config.vision_config.image_size
    pixels = torch.randn(1, 3, size, size)
    tensors = reference(model, ids, pixels, image, words, answer, options)
    facts = {k: str(v) for k, v in vars(options).items() if k not in ('directory', 'out')}
    save_file(tensors, options.out, metadata={'made_by': 'make_answer_reference.py', 'torch': torch.__version__, **facts})
    print({k: tuple(v.shape) for k, v in tensors.items()}, tensors['layer-1.nats'], tensors['layer1.nats'])
