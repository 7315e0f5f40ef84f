"""Pixel values of the image processors of transformers whose configurations people's checkpoints name: one case per rule.

    pip install pillow==13.0.0 numpy torch "transformers==4.57.6" && python make_rules.py

The pictures are kinds/interlaced.png (61x45) and its quarter turn; a configuration is read as AutoImageProcessor reads a file.
"""
import json, os
import numpy as np, PIL, transformers
from PIL import Image

here = os.path.dirname(os.path.abspath(__file__))
base = Image.open(f'{here}/kinds/interlaced.png').convert('RGB')
HALF = dict(image_mean=[.5] * 3, image_std=[.5] * 3)
CONFIGS = [
    dict(image_processor_type='BlipImageProcessor'),
    dict(image_processor_type='BlipImageProcessor', size=dict(height=24, width=24), **HALF),
    dict(image_processor_type='ConvNextImageProcessor'),
    dict(image_processor_type='ConvNextImageProcessor', size=dict(shortest_edge=32), crop_pct=.875, resample=3, **HALF),
    dict(image_processor_type='ConvNextImageProcessor', size=28, crop_pct=.95),
    dict(image_processor_type='ConvNextImageProcessor', size=40),
    dict(image_processor_type='ConvNextImageProcessor', size=28, do_resize=False),
    dict(image_processor_type='ConvNextImageProcessor', size=24, do_center_crop=True, crop_size=10),
    dict(image_processor_type='CLIPImageProcessor', size=dict(shortest_edge=30), crop_size=24, use_square_size=True),
    dict(image_processor_type='CLIPImageProcessor', size=20, crop_size=20, crop_pct=.5, do_pad=True),
    dict(image_processor_type='LlavaImageProcessor', size=24, crop_size=24, do_pad=True),
    dict(image_processor_type='LlavaImageProcessor', size=30, crop_size=24, do_pad=True, image_mean=[.1, .6, .9], image_std=[.3, .2, .5]),
    dict(image_processor_type='LlavaImageProcessor', size=24, crop_size=24),
    dict(image_processor_type='DeiTImageProcessor'),
    dict(image_processor_type='DeiTImageProcessor', size=dict(height=30, width=30), crop_size=24),
    dict(image_processor_type='BitImageProcessor', size=26, crop_size=24),
]
rows = []
for config in CONFIGS:
    for turned in (False, True):
        image = base.transpose(Image.ROTATE_90) if turned else base
        kind = getattr(transformers, config['image_processor_type'])
        px = kind.from_dict(dict(config))(image, return_tensors='np')['pixel_values'][0]
        flat = px.astype(np.float64).ravel()
        picks = np.linspace(0, flat.size - 1, 12).astype(int)
        rows.append(dict(type=config['image_processor_type'], config=config, turned=turned, shape=list(px.shape), sum=float(flat.sum()),
                         abs_sum=float(np.abs(flat).sum()), weighted=float((flat * ((np.arange(flat.size) % 1009) + 1)).sum()),
                         at=picks.tolist(), values=flat[picks].tolist()))
made_by = dict(pillow=PIL.__version__, transformers=transformers.__version__, numpy=np.__version__)
json.dump(dict(made_by=made_by, processors=rows), open(f'{here}/rules.json', 'w'), separators=(',', ':'))
print(len(rows), 'cases')
