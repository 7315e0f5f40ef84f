"""Pixel values of transformers' image processors for many configurations, bicubic enlargements by ONNX Runtime (PyTorch's rule),
and the bilinear map of the official M2IB code.

    pip install pillow numpy "transformers==4.57.6" onnx onnxruntime && python make_processing.py [clip-tiny/m2ib.safetensors]

The pictures are kinds/interlaced.png (61x45) and its quarter turn.
"""
import json, os, struct, sys
import numpy as np, onnx, onnxruntime, PIL, transformers
from onnx import helper, numpy_helper, TensorProto
from PIL import Image
from transformers import CLIPImageProcessor, SiglipImageProcessor, ViTImageProcessor

here = os.path.dirname(os.path.abspath(__file__))
base = Image.open(f'{here}/kinds/interlaced.png').convert('RGB')
CONFIGS = [
    ('CLIP', {}),
    ('CLIP', dict(size=32, crop_size=24)),
    ('CLIP', dict(size=dict(shortest_edge=30), crop_size=dict(height=36, width=50))),
    ('CLIP', dict(size=dict(shortest_edge=9), crop_size=16)),
    ('CLIP', dict(size=dict(height=20, width=31), do_center_crop=False)),
    ('CLIP', dict(do_center_crop=False, size=dict(shortest_edge=17), resample=2)),
    ('CLIP', dict(do_resize=False, crop_size=50)),
    ('CLIP', dict(do_resize=False, crop_size=dict(height=20, width=70), do_normalize=False)),
    ('CLIP', dict(size=16, crop_size=16, do_rescale=False)),
    ('CLIP', dict(size=16, crop_size=16, do_rescale=False, do_normalize=False, resample=0)),
    ('CLIP', dict(size=16, crop_size=16, rescale_factor=1 / 127.5, image_mean=[1, 1, 1], image_std=[1, 1, 1], resample=1)),
    ('CLIP', dict(size=16, crop_size=15, image_mean=[.1, .2, .3], image_std=[.4, .5, .6], resample=5)),
    ('Siglip', {}),
    ('Siglip', dict(size=dict(height=24, width=24), resample=4)),
    ('ViT', {}),
    ('ViT', dict(size=20)),
]
CLASSES = dict(CLIP=CLIPImageProcessor, Siglip=SiglipImageProcessor, ViT=ViTImageProcessor)
rows = []
for kind, config in CONFIGS:
    for turned in (False, True):
        image = base.transpose(Image.ROTATE_90) if turned else base
        px = CLASSES[kind](**config)(image, return_tensors='np')['pixel_values'][0]
        flat = px.astype(np.float64).ravel()
        picks = np.linspace(0, flat.size - 1, 12).astype(int)
        rows.append(dict(type=f'{kind}ImageProcessor', config=config, turned=turned, shape=list(px.shape), sum=float(flat.sum()), abs_sum=float(np.abs(flat).sum()),
                         weighted=float((flat * ((np.arange(flat.size) % 1009) + 1)).sum()), at=picks.tolist(), values=flat[picks].tolist()))

rng = np.random.default_rng(3)
bicubic = []
for h, w, H, W, c in [(4, 4, 7, 7, 2), (4, 4, 6, 9, 1), (7, 5, 3, 4, 2), (2, 3, 8, 8, 1), (1, 1, 3, 3, 2), (7, 7, 14, 14, 1)]:
    x = rng.normal(size=(1, c, h, w)).astype(np.float32).round(3)
    node = helper.make_node('Resize', ['x', '', '', 's'], ['y'], mode='cubic', cubic_coeff_a=-0.75, coordinate_transformation_mode='half_pixel')
    graph = helper.make_graph([node], 'g', [helper.make_tensor_value_info('x', TensorProto.FLOAT, x.shape)], [helper.make_tensor_value_info('y', TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(np.array([1, c, H, W], np.int64), 's')])
    session = onnxruntime.InferenceSession(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 19)], ir_version=9).SerializeToString())
    y = session.run(None, dict(x=x))[0]
    bicubic.append(dict(h=h, w=w, H=H, W=W, channels=c, input=[round(float(v), 3) for v in x[0].transpose(1, 2, 0).ravel()], output=[float(f'{v:.8g}') for v in y[0].transpose(1, 2, 0).ravel()]))

path = f'{here}/processing.json'
bilinear = json.load(open(path))['bilinear'] if os.path.exists(path) else None
if len(sys.argv) > 1:
    with open(sys.argv[1], 'rb') as f:
        head = json.loads(f.read(struct.unpack('<Q', f.read(8))[0]))
        body = f.read()
    read = lambda k: np.frombuffer(body[slice(*head[k]['data_offsets'])], np.float32)
    bilinear = dict(note='clip-tiny, official M2IB, torch 2.13.0: saliency of the 4x4 patches; map = interpolate to 224, min-max, every 8th pixel',
                    saliency=[float(v) for v in read('vision.0.saliency')[1:]], map=[float(f'{v:.8g}') for v in read('vision.0.map')])
json.dump(dict(made_by='make_processing.py', pillow=PIL.__version__, transformers=transformers.__version__, onnxruntime=onnxruntime.__version__,
               processors=rows, bicubic=bicubic, bilinear=bilinear), open(path, 'w'))
