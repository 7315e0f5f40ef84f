"""A LLaVA in transformers, trained plain and through Vittle's bottleneck, and its generation, as a worker: one JSON command per
line on stdin, one JSON reply per line on stdout.

{"cmd": "threads", "n": 2}
{"cmd": "train_step", "directory": DIR, "inputs": FILE, "repeat": 5, "warmup": 2, "lr": 2e-4, "optimizer": "foreach", "bottleneck": null}
    inputs: safetensors with input_ids, attention_mask, labels [B, T], pixel_values [B, 3, S, S]. Projector and decoder are trained, the
    tower is frozen: forward, loss, backward, clip to norm 1, AdamW without decay; eager.
    "bottleneck": {"weights": FILE, "layer": 2, "alpha": 0.25, "beta": 0.1, "noise": FILE or null, "split": "index" or "where"}; without a
    noise file (tensor noise [steps, B, T, d]) noise is drawn within the step.
    -> seconds (median step), all, losses (of every step)
{"cmd": "generate", "directory": DIR, "inputs": FILE, "tokens": 64}      -> seconds, ids [B][tokens]; greedy, with cache, no end token
{"cmd": "answer_m2ib", "directory": DIR, "inputs": FILE, "image": [places], "words": [places], "answer": [places], "layer": -1, "steps": 10, "samples": 2}
    a noisy gate (M2IB) per token of the answer, one after the other, on the embeddings (-1) or a block's output; the whole decoder runs, its
    head on the one row that is read
    -> seconds
{"cmd": "quit"}

The bottleneck is written from the formulas of Vittle (arXiv 2505.13946): per modality Linear, GELU, Linear give each token of a
decoder block's output mean and log-variance (clamped, the gradient passing through); (1 - alpha) h + alpha (mean + deviation noise) goes
on; the loss gains beta times the mean KL to N(0, I) of image tokens, and the same of the prompt's text tokens.
"""
import sys
import time

import torch
from safetensors.torch import load_file
from torch import nn
from serve import serve
from transformers import LlavaForConditionalGeneration

LIMIT = 2.3025


class Encoder(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, width), nn.Linear(width, 2 * width)

    def forward(self, hidden):
        return self.fc2(nn.functional.gelu(self.fc1(hidden)))


class Bottleneck(nn.Module):
    """Hooked to a decoder block; `set_batch` first, `penalty` after the forward pass."""

    def __init__(self, width, weights, layer, alpha, beta, split):
        super().__init__()
        self.visual, self.text = Encoder(width), Encoder(width)
        self.alpha, self.beta, self.split = alpha, beta, split
        prefix = f'bottleneck.{layer}.'
        self.load_state_dict({name[len(prefix):]: value for name, value in load_file(weights).items()})

    def set_batch(self, batch, image_token):
        self.is_visual = batch['input_ids'] == image_token
        self.is_prompt = (batch['labels'] == -100) & (batch['attention_mask'] != 0) & ~self.is_visual
        if self.split == 'index':
            flat = self.is_visual.flatten()
            self.at_visual, self.at_text = flat.nonzero().squeeze(1), (~flat).nonzero().squeeze(1)

    def encode(self, hidden):
        if self.split == 'where':
            return torch.where(self.is_visual[..., None], self.visual(hidden), self.text(hidden))
        rows, width = hidden.flatten(0, 1), hidden.shape[-1]
        out = hidden.new_empty(rows.shape[0], 2 * width)
        out = out.index_copy(0, self.at_visual, self.visual(rows[self.at_visual]))
        return out.index_copy(0, self.at_text, self.text(rows[self.at_text])).unflatten(0, hidden.shape[:2])

    def forward(self, hidden):
        mean, log_variance = self.encode(hidden).chunk(2, -1)
        log_variance = log_variance + (log_variance.clamp(-LIMIT, LIMIT) - log_variance).detach()
        noise = torch.randn_like(hidden) if self.noise is None else self.noise
        sample = mean + (log_variance / 2).exp() * noise
        self.kl = (0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)).mean(-1)
        return (1 - self.alpha) * hidden + self.alpha * sample

    def hook(self, _module, _inputs, output):
        if isinstance(output, tuple):
            return (self(output[0]), *output[1:])
        return self(output)

    def penalty(self):
        return self.beta * (self.kl[self.is_visual].mean() + self.kl[self.is_prompt].mean())


def load_batch(path):
    return {name: value if value.is_floating_point() else value.long() for name, value in load_file(path).items()}


class Worker:
    def __init__(self):
        self.models = {}

    def hello(self):
        return {'torch': torch.__version__}

    def threads(self, n):
        torch.set_num_threads(n)
        return {'n': n}

    def load(self, directory):
        return LlavaForConditionalGeneration.from_pretrained(directory, attn_implementation='sdpa', dtype=torch.float32)

    def train_step(self, directory, inputs, repeat=5, warmup=2, lr=2e-4, optimizer='foreach', bottleneck=None):
        model, batch = self.load(directory).train(), load_batch(inputs)
        model.model.vision_tower.requires_grad_(False)
        trained, vittle, noise = [p for p in model.parameters() if p.requires_grad], None, None
        if bottleneck:
            file = bottleneck.pop('noise', None)
            noise = load_file(file)['noise'] if file else None
            vittle = Bottleneck(model.config.text_config.hidden_size, **bottleneck)
            model.model.language_model.layers[bottleneck['layer']].register_forward_hook(vittle.hook)
            trained += vittle.parameters()
        options = {'fused': {'fused': True}, 'foreach': {'foreach': True}, 'default': {}}[optimizer]
        adamw = torch.optim.AdamW(trained, lr=lr, weight_decay=0.0, **options)
        times, losses = [], []
        for step in range(warmup + repeat):
            begin = time.perf_counter()
            adamw.zero_grad()
            if vittle:
                vittle.noise = None if noise is None else noise[step]
                vittle.set_batch(batch, model.config.image_token_id)
            loss = model(**batch, use_cache=False).loss
            if vittle:
                loss = loss + vittle.penalty()
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 1.0)
            adamw.step()
            times.append(time.perf_counter() - begin)
            losses.append(float(loss.detach()))
        times = sorted(times[warmup:])
        return {'seconds': times[len(times) // 2], 'all': times, 'losses': losses, 'trained': sum(p.numel() for p in trained)}

    def generate(self, directory, inputs, tokens):
        if directory not in self.models:
            self.models[directory] = self.load(directory).eval()
        model, batch = self.models[directory], load_batch(inputs)
        model.generation_config.eos_token_id = None
        model.generation_config.pad_token_id = 0
        begin = time.perf_counter()
        ids = model.generate(**batch, max_new_tokens=tokens, do_sample=False, use_cache=True)
        return {'seconds': time.perf_counter() - begin, 'ids': ids[:, batch['input_ids'].shape[1]:].tolist()}

    def answer_m2ib(self, directory, inputs, image, words, answer, layer, steps, samples, beta=10.0, variance=0.3):
        if directory not in self.models:
            self.models[directory] = self.load(directory).eval()
        model, batch = self.models[directory].requires_grad_(False), load_batch(inputs)
        ids, blocks = batch['input_ids'][0], model.model.language_model.layers
        begin = time.perf_counter()
        with torch.no_grad():
            states = model(**batch, output_hidden_states=True).hidden_states
        embeddings, hidden = states[0].expand(samples, -1, -1), states[layer + 1]
        tokens, width = hidden.shape[1:]
        mean, deviation, playing = torch.zeros(tokens, width), torch.ones(tokens, width), torch.zeros(tokens, 1, dtype=torch.bool)
        for kind in (image, words):
            mean[kind], deviation[kind] = hidden[0, kind].mean(0), hidden[0, kind].std(0).clamp(min=0.01) * variance**0.5
            playing[kind] = True
        standard, players = (hidden[0] - mean) / deviation, image + words
        for place in answer:
            alpha = torch.full((tokens, width), 5.0, requires_grad=True)
            adam, read = torch.optim.Adam([alpha], lr=1.0), torch.tensor([place - 1])
            for _ in range(steps):
                adam.zero_grad()
                keep, noise = torch.sigmoid(alpha), torch.randn(samples, tokens, width)
                z = torch.where(playing, keep * hidden + (1 - keep) * (mean + deviation * noise), hidden)
                hooks = [] if layer < 0 else [blocks[layer].register_forward_hook(lambda *_: z)]
                logits = model(inputs_embeds=z if layer < 0 else embeddings, use_cache=False, logits_to_keep=read).logits
                for hook in hooks:
                    hook.remove()
                fit = torch.log_softmax(logits[:, 0], -1)[:, ids[place]].mean()
                nats = nn.functional.softplus(alpha) + 0.5 * ((keep * standard) ** 2 + torch.sigmoid(-alpha) ** 2 - 1)
                (beta * nats[players].mean() - fit).backward()
                adam.step()
        return {'seconds': time.perf_counter() - begin}


if __name__ == '__main__':
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    serve(Worker(), ('hello', 'threads', 'train_step', 'generate', 'answer_m2ib'))
