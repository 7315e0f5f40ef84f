"""Values of metrics from captum, pytorch-grad-cam, scikit-learn, scikit-image, scipy and plain PyTorch; see README.md.
usage: python metric_goldens.py CLIP_TINY_DIR > library-goldens.json   (src/models/testdata/clip-tiny)
pip: torch 2.13.0, captum 0.9.0, grad-cam 1.5.7 (--no-deps, with opencv-python and ttach), scikit-learn, scikit-image, scipy, transformers 4.57.6
"""
import json, sys, unittest.mock as mock, warnings
warnings.filterwarnings('ignore')
import numpy as np, torch, torch.nn.functional as F
from transformers import CLIPModel

for name in ('torchvision', 'torchvision.transforms', 'torchvision.transforms.functional', 'torchvision.models'):
    sys.modules.setdefault(name, mock.MagicMock())  # pytorch-grad-cam imports it for helpers that are not used here
import captum, scipy, sklearn, skimage
from captum.metrics import infidelity
from pytorch_grad_cam.metrics import road
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_otsu
from sklearn.metrics import average_precision_score, roc_auc_score

rng = np.random.default_rng(20261124)
few = lambda a, digits=4: np.round(np.asarray(a, dtype=np.float64), digits)
out = {'made_by': f'captum {captum.__version__}, pytorch-grad-cam 1.5.7, scikit-learn {sklearn.__version__}, '
                  f'scikit-image {skimage.__version__}, scipy {scipy.__version__}, torch {torch.__version__}'}

# Infidelity: a game of 9 players, v(z) = w.z + z'Qz; coalitions that are taken away.
n, count = 9, 40
w, Q, a = few(rng.normal(size=n)), few(np.triu(rng.normal(size=(n, n)) / 3, 1)), few(rng.normal(size=n))
removed = (rng.random((count, n)) < 0.3).astype(int)
value = lambda z: z @ torch.tensor(w) + ((z @ torch.tensor(Q)) * z).sum(-1)
perturb = lambda inputs: (torch.tensor(removed, dtype=torch.float64), inputs - torch.tensor(removed, dtype=torch.float64))
score = lambda normalize: float(infidelity(value, perturb, torch.ones(1, n, dtype=torch.float64), torch.tensor(a)[None],
                                           n_perturb_samples=count, normalize=normalize))
out['infidelity'] = dict(worth=w.tolist(), pairs=Q.tolist(), map=a.tolist(), removed=removed.tolist(),
                         none=score(False), optimal=score(True))

# ROAD: imputation without noise, and the combined score of a score that is not linear.
S = 16
image = few(rng.normal(size=(3, S, S)), 3)
y, x = np.mgrid[:S, :S]
cam = few(np.exp(-((y - 5) ** 2 + (x - 9) ** 2) / 18) + 0.05 * rng.random((S, S)), 5)
weights = few(rng.normal(size=(3, S, S)) + 1.5 * (cam > 0.4), 3)
assert len(np.unique(cam)) == S * S
road.NoisyLinearImputer.__init__.__defaults__ = (0, road.neighbors_weights)
class Model(torch.nn.Module):
    def forward(self, t):
        s = (t * torch.tensor(weights, dtype=t.dtype)).sum((1, 2, 3)) / 100
        return torch.tanh(s)[:, None]
t = torch.tensor(image, dtype=torch.float32)
filled = {p: road.RemoveMostRelevantFirst(100 - p, road.NoisyLinearImputer(0))(t, torch.tensor(cam)) for p in (30, 90)}
combined = road.ROADCombined(percentiles=[10, 20, 30, 40, 50, 70, 90])(t[None], cam[None], [lambda y: y[0]], Model())
out['road'] = dict(image=image.reshape(-1).tolist(), map=cam.reshape(-1).tolist(), weights=weights.reshape(-1).tolist(),
                   filled={str(p): few(f[0].reshape(-1), 5).tolist() for p, f in filled.items()}, combined=float(combined[0]))

# A classifier's curves with ties, and Otsu's cut.
truth = (rng.random(60) < 0.3).astype(int)
scores = np.round(rng.normal(size=60) + truth, 1)
out['classifier'] = dict(truth=truth.tolist(), map=scores.tolist(), ap=average_precision_score(truth, scores), auc=roc_auc_score(truth, scores))
mixed = few(np.concatenate([rng.normal(0, 1, 80), rng.normal(4, 0.7, 25)]), 3)
out['otsu'] = dict(map=mixed.tolist(), above=int((mixed >= threshold_otsu(mixed, nbins=256) + np.ptp(mixed) / 512).sum()))  # the bin's upper edge; theirs is its centre

# The tiny CLIP: official first row, RISE pixel by pixel, NIB's weighted embeddings.
from safetensors.torch import load_file
directory = sys.argv[1]
m = CLIPModel.from_pretrained(directory, attn_implementation='eager').eval()
o, attr = load_file(f'{directory}/outputs.safetensors'), load_file(f'{directory}/attributions.safetensors')
pix, up = o['pixel_values'][:1], attr['metric.map']
length = int(o['attention_mask'][0].sum())
ids = o['input_ids'][:1, :length].long()
with torch.no_grad():
    text, whole = m.get_text_features(input_ids=ids), m.get_image_features(pixel_values=pix)
    cos = lambda p: F.cosine_similarity(m.get_image_features(pixel_values=p), text)
    area = up.numel()
    order = torch.argsort(up.reshape(-1), descending=True, stable=True)
    counts = [round(k * area / 16) for k in range(17)]
    blurred = torch.tensor(np.stack([gaussian_filter(c, 5, mode='nearest', truncate=3.0) for c in pix[0].double().numpy()])).float()[None]
    def curve(start, end):
        points = []
        for k in counts:
            now = start.reshape(3, -1).clone(); now[:, order[:k]] = end.reshape(3, -1)[:, order[:k]]
            points.append(now.reshape(pix.shape[1:]))
        return [float(v) for v in cos(torch.stack(points))]
    area_under = lambda c: (sum(c) - c[0] / 2 - c[-1] / 2) / (len(c) - 1)
    deletion, insertion = curve(pix[0], torch.zeros_like(pix[0])), curve(blurred[0], pix[0])
    row = [float(v) for v in (cos(pix * up[0]), cos(pix * up))]
    emb = m.text_model.embeddings.token_embedding
    values = torch.tensor(few(rng.random(length - 2), 3)).float()
    scaled = torch.cat([torch.ones(1), (values - values.min()) / (values.max() - values.min()), torch.ones(1)])
    handle = emb.register_forward_hook(lambda _, __, e: e * scaled[None, :, None])
    weighted = float(F.cosine_similarity(m.get_text_features(input_ids=ids), whole))
    handle.remove()
out['clip'] = dict(whole=float(cos(pix)), first_row=row[0], soft=row[1], pixel_deletion=area_under(deletion), pixel_insertion=area_under(insertion),
                   words=[round(float(v), 3) for v in values], nib_weighted=weighted)
json.dump(out, sys.stdout)
