"""M2IB in PyTorch, twice: the official algorithm (written from its description) and the best rewrite we could make.

Worker:    m2ib_torch.py            one JSON command per line on stdin, one JSON reply per line on stdout; see COMMANDS
Self-test: m2ib_torch.py selftest DIR [--compile]     DIR holds model, outputs.safetensors, m2ib.safetensors (clip-tiny)

official: Wang et al., "Visual Explanations of Image-Text Representations via Multi-Modal Information Bottleneck
Attribution" (arXiv 2312.17174) as its released code computes it: the output h of block `layer` of one tower is replaced
by t = lambda h + (1 - lambda) eps with lambda = sigmoid(alpha), alpha shared by a batch of copies of one pair; each step
runs both full towers on the batch, backpropagates beta * mean KL - mean cosine through everything (weight gradients are
computed and never cleared) and lets Adam (lr 1) move alpha. KL is read from the last forward pass.

rewrite: the same numbers. The prefix and the other tower run once, without autograd; a step runs the blocks after the
bottleneck only, the last of them for the pooled token alone; no weight gradients; q, k, v in one product; quick_gelu as
one silu with its 1.702 folded into the weights; alpha's gradient, KL and Adam by hand, in place.
"""
import json
import math
import os
import resource
import sys
import time

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from serve import serve
from transformers import CLIPModel

ALPHA0 = 5.0


def load_model(directory, attention='sdpa'):
    return CLIPModel.from_pretrained(directory, attn_implementation=attention, dtype=torch.float32).eval()


def draw_noise(steps, batch, tokens, width, seed):
    """Yields one [batch, tokens, width] tensor a step; drawn inside the timed loop, as the official code does."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        yield torch.randn(batch, tokens, width, generator=generator)


def tower(model, modality):
    return model.vision_model if modality == 'image' else model.text_model


def width_and_tokens(model, modality, image, ids):
    config = model.config.vision_config if modality == 'image' else model.config.text_config
    tokens = ids.shape[1] if modality == 'text' else (image.shape[-1] // config.patch_size) ** 2 + 1
    return config.hidden_size, tokens


# ---------------------------------------------------------------------------------------------------------------- official


def official(model, image, ids, modality='image', layer=9, beta=0.1, steps=10, batch=10, lr=1.0, seed=0, noise=None):
    """image [1, 3, S, S], ids [1, T] unpadded. Returns alpha [steps+1, 1, N, D], loss [steps, 3], kl [N, D]."""
    width, tokens = width_and_tokens(model, modality, image, ids)
    model.requires_grad_(True)
    alpha = torch.full((1, tokens, width), ALPHA0, requires_grad=True)
    adam = torch.optim.Adam([alpha], lr=lr)
    noises = iter(noise) if noise is not None else draw_noise(steps, batch, tokens, width, seed)
    images, texts = image.expand(batch, -1, -1, -1), ids.expand(batch, -1)
    state = {}

    def bottleneck(_module, _inputs, output):
        hidden = output[0] if isinstance(output, tuple) else output
        gate = torch.sigmoid(alpha.expand(hidden.shape[0], -1, -1))
        mean, log_variance = gate * hidden, torch.log((1 - gate) ** 2)
        state['hidden'] = hidden
        state['kl'] = -0.5 * (1 + log_variance - mean**2 - log_variance.exp())
        noisy = mean + log_variance.exp().sqrt() * next(noises)
        return (noisy, *output[1:]) if isinstance(output, tuple) else noisy

    alphas, losses = [alpha.detach().clone()], []
    handle = tower(model, modality).encoder.layers[layer].register_forward_hook(bottleneck)
    try:
        for _ in range(steps):
            adam.zero_grad()
            out_image, out_text = model.get_image_features(images), model.get_text_features(texts)
            compression = state['kl'].mean()
            fit = F.cosine_similarity(out_image, out_text, eps=1e-6).mean()
            loss = beta * compression - fit
            loss.backward()
            adam.step()
            alphas.append(alpha.detach().clone())
            losses.append(torch.stack([compression.detach(), fit.detach(), loss.detach()]))
    finally:
        handle.remove()
    kl = state['kl'].detach().mean(0)
    return {'hidden': state['hidden'][:1].detach(), 'alpha': torch.stack(alphas), 'loss': torch.stack(losses), 'kl': kl,
            'saliency': torch.nansum(kl, -1)}


def official_map(saliency, modality):
    """The official read-out: image [224, 224] (CLS dropped, bilinear), text [T] (special tokens kept); min-max to [0, 1]."""
    values = saliency
    if modality == 'image':
        side = math.isqrt(saliency.numel() - 1)
        values = F.interpolate(saliency[1:].reshape(1, 1, side, side), size=224, mode='bilinear', align_corners=False).squeeze()
    return (values - values.min()) / (values.max() - values.min())


# ----------------------------------------------------------------------------------------------------------------- rewrite


class PackedLinear(torch.autograd.Function):
    """x W^T + b by oneDNN with the weight laid out in advance, for the product and for its gradient with regard to x.

    PyTorch's own float32 products go to MKL, which reached about 190 GFLOP/s where oneDNN reached 220 (two AMD EPYC cores).
    """

    @staticmethod
    def forward(ctx, x, forward, backward, bias):
        ctx.backward_weight = backward
        return torch.ops.mkldnn._linear_pointwise(x, forward, bias, 'none', [], '')

    @staticmethod
    def backward(ctx, gradient):
        return torch.ops.mkldnn._linear_pointwise(gradient, ctx.backward_weight, None, 'none', [], ''), None, None, None


class Block:
    """A pre-norm transformer block's weights: q, k, v as one matrix; quick_gelu as silu."""

    def __init__(self, layer, heads):
        a, mlp = layer.self_attn, layer.mlp
        self.heads, self.width = heads, a.q_proj.weight.shape[0]
        self.epsilon = layer.layer_norm1.eps
        self.norm1 = layer.layer_norm1.weight.detach(), layer.layer_norm1.bias.detach()
        self.norm2 = layer.layer_norm2.weight.detach(), layer.layer_norm2.bias.detach()
        quick = type(mlp.activation_fn).__name__ == 'QuickGELUActivation'
        # quick_gelu(x) = x sigmoid(1.702 x) = silu(1.702 x) / 1.702
        factor = 1.702 if quick else 1.0
        self.activation = F.silu if quick else F.gelu
        qkv = [torch.cat([getattr(p, kind).detach() for p in (a.q_proj, a.k_proj, a.v_proj)]) for kind in ('weight', 'bias')]
        self.weights = {
            'qkv': tuple(qkv),
            'q': tuple(p[:self.width] for p in qkv),
            'kv': tuple(p[self.width:] for p in qkv),
            'out': (a.out_proj.weight.detach(), a.out_proj.bias.detach()),
            'fc1': (mlp.fc1.weight.detach() * factor, mlp.fc1.bias.detach() * factor),
            'fc2': (mlp.fc2.weight.detach() / factor, mlp.fc2.bias.detach()),
        }
        self.packed = {}

    def linear(self, x, name, onednn):
        weight, bias = self.weights[name]
        rows = x.numel() // x.shape[-1]
        if not onednn or rows < 64:
            return F.linear(x, weight, bias)
        if name not in self.packed:
            pack = torch.ops.mkldnn._reorder_linear_weight
            with torch.no_grad():
                self.packed[name] = pack(weight, rows), pack(weight.T.contiguous(), rows)
        return PackedLinear.apply(x, *self.packed[name], bias)

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def attend(self, q, k, v, causal, fused):
        if fused:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        else:
            scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
            if causal:
                scores = scores + torch.full(scores.shape[-2:], -math.inf).triu(1)
            y = scores.softmax(-1) @ v
        return y.transpose(1, 2).flatten(-2)

    def mlp(self, x, how):
        y = F.layer_norm(x, (self.width,), *self.norm2, self.epsilon)
        return x + self.linear(self.activation(self.linear(y, 'fc1', how.onednn)), 'fc2', how.onednn)

    def full(self, x, causal, how):
        y = self.linear(F.layer_norm(x, (self.width,), *self.norm1, self.epsilon), 'qkv', how.onednn)
        q, k, v = (self.split(part) for part in y.chunk(3, -1))
        return self.mlp(x + self.linear(self.attend(q, k, v, causal, how.fused), 'out', how.onednn), how)

    def pooled(self, x, position, how):
        """This block's output at one position, [B, 1, D]; tokens after it must have been cut off if attention is causal."""
        y = F.layer_norm(x, (self.width,), *self.norm1, self.epsilon)
        q = self.linear(y[:, position:position + 1], 'q', how.onednn)
        k, v = (self.split(part) for part in self.linear(y, 'kv', how.onednn).chunk(2, -1))
        return self.mlp(x[:, position:position + 1] + self.linear(self.attend(self.split(q), k, v, False, how.fused), 'out', how.onednn), how)

    def pooled_folded(self, x, position, how):
        """The same with the key and value projections folded into the one query and the one weighted mean."""
        d, (w, b) = self.width, self.weights['qkv']
        y = F.layer_norm(x, (d,), *self.norm1, self.epsilon)
        q = self.linear(y[:, position], 'q', how.onednn).unflatten(-1, (self.heads, -1))  # [B, H, E]
        # the key's bias adds the same number to every score, so it falls out of the softmax
        keys = torch.einsum('bhe,hed->bhd', q * q.shape[-1] ** -0.5, w[d:2 * d].unflatten(0, (self.heads, -1)))
        mean = (keys @ y.transpose(-1, -2)).softmax(-1) @ y  # [B, H, D]
        v = torch.einsum('bhd,hed->bhe', mean, w[2 * d:].unflatten(0, (self.heads, -1))).flatten(-2) + b[2 * d:]
        return self.mlp(x[:, position:position + 1] + self.linear(v, 'out', how.onednn).unsqueeze(1), how)


def pack_blocks(model):
    pairs = (('image', model.config.vision_config), ('text', model.config.text_config))
    return {m: [Block(layer, config.num_attention_heads) for layer in tower(model, m).encoder.layers] for m, config in pairs}


class Rewrite:
    """`run` makes one map. fused: scaled_dot_product_attention; fold: see Block.pooled_folded; onednn: see PackedLinear."""

    def __init__(self, model, blocks=None, fused=True, fold=False, onednn=False, compile=False):
        self.model, self.fused, self.fold, self.onednn = model, fused, fold, onednn
        self.blocks = blocks or pack_blocks(model)
        v, t = model.vision_model, model.text_model
        self.norm = {'image': (v.post_layernorm.weight.detach(), v.post_layernorm.bias.detach(), v.post_layernorm.eps),
                     'text': (t.final_layer_norm.weight.detach(), t.final_layer_norm.bias.detach(), t.final_layer_norm.eps)}
        self.projection = {'image': model.visual_projection.weight.detach(), 'text': model.text_projection.weight.detach()}
        self.fit = torch.compile(self.fit_eager, dynamic=False) if compile else self.fit_eager

    def embed(self, modality, inputs):
        if modality == 'image':
            return self.model.vision_model.pre_layrnorm(self.model.vision_model.embeddings(inputs))
        return self.model.text_model.embeddings(input_ids=inputs)

    def position(self, modality, ids):
        if modality == 'image':
            return 0
        eos = self.model.config.text_config.eos_token_id
        return int(ids[0].argmax() if eos == 2 else (ids[0] == eos).int().argmax())

    def suffix(self, x, modality, first, position):
        """Blocks first.. and the projection: [B, N, D] -> [B, P]."""
        blocks, causal = self.blocks[modality], modality == 'text'
        for block in blocks[first:-1]:
            x = block.full(x, causal, self)
        if first < len(blocks):
            x = (blocks[-1].pooled_folded if self.fold else blocks[-1].pooled)(x, position, self)
        else:
            x = x[:, position:position + 1]
        weight, bias, epsilon = self.norm[modality]
        return F.linear(F.layer_norm(x[:, 0], weight.shape, weight, bias, epsilon), self.projection[modality])

    def fit_eager(self, t, target, modality, first, position):
        return F.cosine_similarity(self.suffix(t, modality, first, position), target, eps=1e-6).mean()

    def run(self, image, ids, modality='image', layer=9, beta=0.1, steps=10, batch=10, lr=1.0, seed=0, noise=None):
        """As `official`. Tokens after EOS cannot reach it (causal), so a text is cut there."""
        position = self.position('text', ids)
        ids = ids[:, :position + 1]
        inputs, other = (image, ids) if modality == 'image' else (ids, image)
        with torch.inference_mode():
            partner = 'text' if modality == 'image' else 'image'
            target = self.suffix(self.embed(partner, other), partner, 0, position if partner == 'text' else 0)
            hidden = self.embed(modality, inputs)
            for block in self.blocks[modality][:layer + 1]:
                hidden = block.full(hidden, modality == 'text', self)
        # autograd may not save inference tensors
        h, target = hidden[0].clone(), target.clone()
        tokens, width = h.shape
        position = 0 if modality == 'image' else position
        noises = (n[:, :tokens] for n in noise) if noise is not None else draw_noise(steps, batch, tokens, width, seed)
        alpha = torch.full((tokens, width), ALPHA0)
        first, second = torch.zeros_like(alpha), torch.zeros_like(alpha)
        square, count = h * h, batch * tokens * width
        alphas, losses = [alpha.clone()], []
        for step in range(1, steps + 1):
            epsilon = next(noises)
            with torch.inference_mode():
                gate = torch.sigmoid(alpha)
                rest = 1 - gate
                kl = -0.5 * (1 + 2 * rest.log() - gate * gate * square - rest * rest)
            difference = h - epsilon
            t = torch.addcmul(epsilon, gate, difference).requires_grad_(True)
            fit = self.fit(t, target, modality, layer + 1, position)
            (gradient,) = torch.autograd.grad(fit, t)
            with torch.inference_mode():
                slope = gate * rest
                # d fit / d alpha = sum over the batch of d fit / d t * slope * (h - eps)
                pull = gradient.mul_(difference).sum(0).mul_(slope)
                push = (square * gate * slope + gate - gate * rest * rest).mul_(beta * batch / count)
                g = push.sub_(pull)
                first.mul_(0.9).add_(g, alpha=0.1)
                second.mul_(0.999).addcmul_(g, g, value=0.001)
                scale = (second / (1 - 0.999**step)).sqrt_().add_(1e-8)
                alpha.addcdiv_(first, scale, value=-lr / (1 - 0.9**step))
                compression = kl.mean()
                losses.append(torch.stack([compression, fit.detach(), beta * compression - fit.detach()]))
                alphas.append(alpha.clone())
        return {'hidden': h.unsqueeze(0), 'alpha': torch.stack(alphas).unsqueeze(1), 'loss': torch.stack(losses), 'kl': kl,
                'saliency': kl.sum(-1)}


# ---------------------------------------------------------------------------------------------------------------- self-test


def selftest(directory, compile=False):
    with safe_open(os.path.join(directory, 'm2ib.safetensors'), 'pt') as file:
        settings = json.loads(file.metadata()['settings'])
    golden = load_file(os.path.join(directory, 'm2ib.safetensors'))
    pixels = load_file(os.path.join(directory, 'outputs.safetensors'))['pixel_values']
    model = load_model(directory, 'eager')
    sdpa = load_model(directory, 'sdpa')
    rivals = {
        'official eager': lambda **o: official(model, **o),
        'official sdpa': lambda **o: official(sdpa, **o),
        'rewrite fused': lambda **o: Rewrite(sdpa, fused=True).run(**o),
        'rewrite plain': lambda **o: Rewrite(sdpa, fused=False).run(**o),
        'rewrite folded': lambda **o: Rewrite(sdpa, fold=True).run(**o),
        'rewrite onednn': lambda **o: Rewrite(sdpa, onednn=True).run(**o),
    }
    if compile:
        rivals['rewrite compiled'] = lambda **o: Rewrite(sdpa, compile=True).run(**o)
    worst = 0.0
    for name, rival in rivals.items():
        for key in sorted({k.rsplit('.', 1)[0] for k in golden if k.endswith('.noise')}):
            which, index = key.split('.')
            modality = 'image' if which == 'vision' else 'text'
            g = lambda part: golden[f'{key}.{part}']
            noise = g('noise')
            r = rival(image=pixels[int(index):int(index) + 1], ids=g('input_ids').long(), modality=modality, layer=settings[f'{which}_layer'],
                      beta=settings['beta'], steps=settings['steps'], lr=settings['lr'], batch=noise.shape[1], noise=noise)
            r['map'] = official_map(r['saliency'], modality)
            if modality == 'image':
                r['map'] = r['map'][::8, ::8]
            errors = {p: float((r[p] - g(p)).abs().max() / (1 if p in ('alpha', 'map') else g(p).abs().max()))
                      for p in ('hidden', 'alpha', 'loss', 'kl', 'saliency', 'map')}
            worst = max(worst, *errors.values())
            print(f'{name:17} {key:9}', '  '.join(f'{p} {e:.1e}' for p, e in errors.items()))
    print('worst', f'{worst:.1e}', '(alpha, map absolute; others relative to the largest entry)', 'PASS' if worst <= 1e-4 else 'FAIL')
    return 0 if worst <= 1e-4 else 1


# ------------------------------------------------------------------------------------------------------------------ worker


COMMANDS = """
{"cmd": "hello"}                                     versions, threads, CPU name, load average
{"cmd": "threads", "n": 2}
{"cmd": "load", "directory": D, "attention": "sdpa"}   a CLIPModel directory, float32; packs the rewrite's weights
{"cmd": "official", "ids": [...], "pixels": FILE, "modality": "image", "layer": 9, "beta": 0.1, "steps": 10, "batch": 10, "seed": 0}
{"cmd": "rewrite", the same, "fused": true, "fold": false, "onednn": false, "compile": false}
    pixels: a .safetensors file with pixel_values [1, 3, S, S] (or [B, ...] with "index"), and noise [steps, batch, N, D] if wanted;
    without it pixels are random. "out": FILE writes alpha, loss, kl, saliency. -> {"seconds": ...}. With "compile", the first call's
    time (compilation included) comes as "first_seconds" and a second call is timed.
{"cmd": "gemm", "shapes": [[500, 768, 3072], ...], "seconds": 1}     -> GFLOP/s of each [m, k] x [k, n] in float32
{"cmd": "train_step", "directory": D, "batch": 32, "tokens": 16, "repeat": 5, "optimizer": "fused"}    -> median seconds, all seconds, losses
    "inputs": FILE writes the batch (pixel_values, input_ids), so that the other side can train on the same.
{"cmd": "quit"}
"""


class Worker:
    def __init__(self):
        self.model = None
        self.blocks, self.rewrites = None, {}

    def hello(self):
        with open('/proc/cpuinfo') as file:
            cpu = next((line.split(':')[1].strip() for line in file if line.startswith('model name')), 'unknown')
        return {'python': sys.version.split()[0], 'torch': torch.__version__, 'threads': torch.get_num_threads(), 'cpu': cpu,
                'isa': torch.backends.cpu.get_cpu_capability(), 'cores': os.cpu_count(), 'load': os.getloadavg()}

    def threads(self, n):
        torch.set_num_threads(n)
        return {'threads': torch.get_num_threads()}

    def load(self, directory, attention='sdpa'):
        self.model, self.rewrites = load_model(directory, attention), {}
        self.blocks = pack_blocks(self.model)
        return {'parameters': sum(p.numel() for p in self.model.parameters()), 'attention': attention}

    def rewrite_with(self, *options):
        if options not in self.rewrites:
            self.rewrites[options] = Rewrite(self.model, self.blocks, *options)
        return self.rewrites[options]

    def inputs(self, ids, pixels, seed, index):
        if self.model is None:
            raise ValueError('no model: send {"cmd": "load", "directory": ...} first')
        file = load_file(pixels) if pixels else {}
        size = self.model.config.vision_config.image_size
        image = file.get('pixel_values')
        if image is None:
            image = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(seed))
        return {'image': image[index:index + 1], 'ids': torch.tensor([ids]), 'noise': file.get('noise'), 'seed': seed}

    def timed(self, call, out):
        begin, cpu = time.perf_counter(), time.process_time()
        result = call()
        seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
        if out:
            save_file({k: v.contiguous() for k, v in result.items()}, out)
        # on an idle machine cpu_seconds is about threads * seconds; much less means that others held the cores
        return {'seconds': seconds, 'cpu_seconds': cpu}

    def official(self, ids, pixels=None, seed=0, index=0, out=None, **options):
        inputs = self.inputs(ids, pixels, seed, index)
        reply = self.timed(lambda: official(self.model, **inputs, **options), out)
        self.model.zero_grad(set_to_none=True)
        return reply

    def rewrite(self, ids, pixels=None, seed=0, index=0, out=None, fused=True, fold=False, onednn=False, compile=False,
                **options):
        rival, inputs = self.rewrite_with(fused, fold, onednn, compile), self.inputs(ids, pixels, seed, index)
        call = lambda: rival.run(**inputs, **options)
        self.model.requires_grad_(False)
        if compile:
            first = self.timed(call, None)['seconds']
            return {**self.timed(call, out), 'first_seconds': first}
        return self.timed(call, out)

    def gemm(self, shapes=((500, 768, 3072), (500, 3072, 768), (500, 768, 2304), (500, 768, 768)), seconds=1.0):
        rates = []
        for m, k, n in shapes:
            a, b, c = torch.randn(m, k), torch.randn(n, k).T, torch.empty(m, n)
            torch.mm(a, b, out=c)
            times, end = [], time.perf_counter() + seconds
            while time.perf_counter() < end:
                begin = time.perf_counter()
                torch.mm(a, b, out=c)
                times.append(time.perf_counter() - begin)
            times.sort()
            flop = 2 * m * k * n / 1e9
            rates.append({'shape': [m, k, n], 'median': flop / times[len(times) // 2], 'best': flop / times[0]})
        return {'gflops': rates}

    def train_step(self, directory, batch=32, tokens=None, repeat=5, warmup=2, optimizer='fused', attention='sdpa', lr=1e-4, inputs=None):
        """Forward, contrastive loss, backward, clip to 1.0, AdamW; random pixels and ids, which go to the file `inputs`; eager."""
        model = load_model(directory, attention).train()
        text, vision = model.config.text_config, model.config.vision_config
        tokens = tokens or text.max_position_embeddings
        g = torch.Generator().manual_seed(0)
        pixels = torch.randn(batch, 3, vision.image_size, vision.image_size, generator=g)
        ids = torch.randint(3, text.vocab_size - 2, (batch, tokens), generator=g)
        ids[:, -1] = text.vocab_size - 1 if text.eos_token_id == 2 else text.eos_token_id
        if inputs:
            save_file({'pixel_values': pixels, 'input_ids': ids.int()}, inputs)
        mask = torch.ones_like(ids)
        options = {'fused': {'fused': True}, 'foreach': {'foreach': True}, 'default': {}}[optimizer]
        adamw = torch.optim.AdamW(model.parameters(), lr=lr, **options)
        times, losses = [], []
        for _ in range(warmup + repeat):
            begin = time.perf_counter()
            adamw.zero_grad()
            loss = model(input_ids=ids, attention_mask=mask, pixel_values=pixels, return_loss=True).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adamw.step()
            times.append(time.perf_counter() - begin)
            losses.append(float(loss.detach()))
        times = sorted(times[warmup:])
        return {'seconds': times[len(times) // 2], 'all': times, 'loss': losses[-1], 'losses': losses, 'batch': batch, 'tokens': tokens}


def peak_memory():
    return {'peak_rss_mb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


if __name__ == '__main__':
    if len(sys.argv) > 2 and sys.argv[1] == 'selftest':
        sys.exit(selftest(sys.argv[2], '--compile' in sys.argv))
    if len(sys.argv) > 1:
        sys.exit(__doc__ + COMMANDS)
    serve(Worker(), ('hello', 'threads', 'load', 'official', 'rewrite', 'gemm', 'train_step'), peak_memory)
