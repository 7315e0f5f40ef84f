"""Golden values of src/optim, made with PyTorch and transformers: python make_golden.py > golden.json"""
import json
import sys

import torch
import transformers
from transformers import optimization

torch.manual_seed(7)
torch.set_num_threads(1)
flat = lambda t: [float(v) for v in t.detach().double().flatten()]


def parameters():
    """Two matrices (tall and wide), a bias, a scalar: name -> shape."""
    return {'layers.0.fc1.weight': (8, 3), 'layers.0.fc2.weight': (3, 8), 'layers.0.fc1.bias': (8,), 'scale': ()}


def gradients(steps):
    # The third step's gradients are small: no clip there.
    return [{n: torch.randn(s) * (0.02 if t == 2 else 1.5) for n, s in parameters().items()} for t in range(steps)]


def decays(name):
    return len(parameters()[name]) >= 2


RATES = [1e-2, 2e-2, 1e-2, 5e-3, 1e-3]
start = {n: torch.randn(s) for n, s in parameters().items()}
grads = gradients(len(RATES))


def run(make_optimizers):
    live = {n: torch.nn.Parameter(t.clone()) for n, t in start.items()}
    optimizers = make_optimizers(live)
    out = []
    for rate, grad in zip(RATES, grads):
        for n, p in live.items():
            p.grad = grad[n].clone()
        norm = torch.nn.utils.clip_grad_norm_(live.values(), 1.0)
        for o in optimizers:
            for g in o.param_groups:
                g['lr'] = rate
            o.step()
        out.append({'norm': float(norm), 'parameters': {n: flat(p) for n, p in live.items()}})
    return out


def adamw(live, names=None):
    names = [n for n in live if names is None or n in names]
    groups = [
        {'params': [live[n] for n in names if decays(n)], 'weight_decay': 0.1},
        {'params': [live[n] for n in names if not decays(n)], 'weight_decay': 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g['params']], lr=1.0, betas=(0.9, 0.98), eps=1e-8)


class Muon32(torch.optim.Optimizer):
    """torch.optim.Muon's update with the Newton-Schulz steps in float32 (torch's own run in bfloat16)."""

    def __init__(self, params):
        super().__init__(params, dict(lr=1.0, momentum=0.95, weight_decay=0.1))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group['params']:
                buf = self.state[p].setdefault('momentum_buffer', torch.zeros_like(p))
                buf.lerp_(p.grad, 1 - group['momentum'])
                x = p.grad.lerp(buf, group['momentum'])
                if p.shape[0] > p.shape[1]:
                    x = x.T
                x = x / x.norm().clamp(min=1e-7)
                for _ in range(5):
                    gram = x @ x.T
                    x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
                if p.shape[0] > p.shape[1]:
                    x = x.T
                p.mul_(1 - group['lr'] * group['weight_decay'])
                p.add_(x, alpha=-group['lr'] * 0.2 * max(p.shape) ** 0.5)


matrices = [n for n in start if decays(n)]
rest = [n for n in start if not decays(n)]


def muon(kind):
    return lambda live: [kind([live[n] for n in matrices]), adamw(live, rest)]


def torch_muon(params):
    return torch.optim.Muon(params, lr=1.0, weight_decay=0.1, momentum=0.95, nesterov=True, adjust_lr_fn='match_rms_adamw')


def schedule(make, steps):
    p = torch.nn.Parameter(torch.zeros(1))
    o = torch.optim.SGD([p], lr=1.0)
    s = make(o)
    out = []
    for _ in range(steps):
        out.append(s.get_last_lr()[0])
        o.step()
        s.step()
    return out


json.dump(
    {
        'made_by': f'make_golden.py, torch {torch.__version__}, transformers {transformers.__version__}, seed 7',
        'rates': RATES,
        'shapes': {n: list(s) for n, s in parameters().items()},
        'start': {n: flat(t) for n, t in start.items()},
        'gradients': [{n: flat(t) for n, t in g.items()} for g in grads],
        'adamw': run(lambda live: [adamw(live)]),
        'muon': run(muon(Muon32)),
        'muon_bfloat16': run(muon(torch_muon)),
        'schedules': {
            'linear': schedule(lambda o: optimization.get_linear_schedule_with_warmup(o, 4, 20), 22),
            'cosine': schedule(lambda o: optimization.get_cosine_schedule_with_warmup(o, 4, 20), 20),
            'constant': schedule(optimization.get_constant_schedule, 20),
            'constant_with_warmup': schedule(lambda o: optimization.get_constant_schedule_with_warmup(o, 4), 20),
            'warmup_stable_decay': schedule(
                lambda o: optimization.get_wsd_schedule(o, 4, num_decay_steps=6, num_stable_steps=10, decay_type='linear'), 22
            ),
        },
    },
    sys.stdout,
)
