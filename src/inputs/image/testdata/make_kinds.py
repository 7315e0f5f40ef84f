"""Small image files of every kind Narrows reads, with Pillow's RGB bytes of each, and Pillow resizings of a small picture.

    python3 -m venv venv && venv/bin/pip install pillow==13.0.0 numpy && venv/bin/python make_kinds.py

The picture is computed here (gradients, discs, noise), so the files are the project's own. Encoders change between versions of
Pillow, so run it to add a kind, not to test: `kinds.json` says what made the files that are kept.
"""
import hashlib, io, json, os, struct, zlib
import numpy as np, PIL
from PIL import Image, ImageCms, features

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, 'kinds')
os.makedirs(out, exist_ok=True)
H, W = 45, 61
rng = np.random.default_rng(7)
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([4 * x, 5 * y, 128 + 60 * np.sin(x / 5) + 60 * np.cos(y / 4)], -1)
for cx, cy, r, colour in [(15, 12, 9, (230, 30, 40)), (44, 28, 12, (20, 200, 90)), (25, 35, 6, (250, 240, 20))]:
    rgb[(x - cx) ** 2 + (y - cy) ** 2 < r * r] = colour
rgb = np.clip(rgb + rng.normal(0, 6, rgb.shape), 0, 255).astype(np.uint8)
base = Image.fromarray(rgb)
alpha = Image.fromarray(np.clip(x * 5 - 20, 0, 255).astype(np.uint8))
grey = base.convert('L')
rgba = base.copy(); rgba.putalpha(alpha)
la = grey.copy(); la.putalpha(alpha)


def chunk(tag, data):
    return struct.pack('>I', len(data)) + tag + data + struct.pack('>I', zlib.crc32(tag + data))


def png(pixels, depth, colour, extra=b'', interlace=False):
    """A PNG from an array H x W x C of 8- or 16-bit values, with Adam7 interlacing where asked (Pillow writes neither)."""
    big = pixels.astype('>u2' if depth == 16 else 'u1')
    if pixels.ndim == 2: big = big[..., None]
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)] if interlace else [(0, 0, 1, 1)]
    raw = b''
    for x0, y0, dx, dy in passes:
        part = big[y0::dy, x0::dx]
        if part.size: raw += b''.join(b'\0' + np.ascontiguousarray(row).tobytes() for row in part)
    head = struct.pack('>IIBBBBB', pixels.shape[1], pixels.shape[0], depth, colour, 0, 0, int(interlace))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + extra + chunk(b'IDAT', zlib.compress(raw, 9)) + chunk(b'IEND', b'')


files = {}


def save(name, image, **options):
    buffer = io.BytesIO()
    image.save(buffer, name.rsplit('.', 1)[1].replace('jpg', 'jpeg'), **options)
    files[name] = buffer.getvalue()


wide = rgb.astype(np.uint16) * 257 ^ rng.integers(0, 256, rgb.shape, dtype=np.uint16)
save('one-bit.png', grey.convert('1'))
save('grey.png', grey)
save('grey-alpha.png', la)
save('palette.png', base.quantize(16))
save('palette-transparent.png', base.quantize(16), transparency=3)
save('palette-alpha.png', base.quantize(16), transparency=bytes(range(0, 256, 16)))
save('rgb-transparent.png', base, transparency=tuple(int(v) for v in rgb[3, 4]))
save('grey-transparent.png', grey, transparency=100)
save('rgba.png', rgba)
for depth in (2, 4):
    levels = np.asarray(grey) >> (8 - depth)
    padded = np.pad(levels, ((0, 0), (0, -W % (8 // depth))))
    packed = sum(padded[:, i::8 // depth] << (8 - depth * (i + 1)) for i in range(8 // depth)).astype(np.uint8)
    head = struct.pack('>IIBBBBB', W, H, depth, 0, 0, 0, 0)
    raw = b''.join(b'\0' + row.tobytes() for row in packed)
    files[f'grey-{depth}.png'] = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', zlib.compress(raw)) + chunk(b'IEND', b'')
files['interlaced.png'] = png(rgb, 8, 2, interlace=True)
files['grey-16.png'] = png(np.where(x % 3 == 0, wide[..., 0] >> 8, wide[..., 0]), 16, 0)
files['grey-alpha-16.png'] = png(np.stack([wide[..., 0], np.asarray(alpha, np.uint16) * 257], -1), 16, 4)
files['rgb-16.png'] = png(wide, 16, 2)
files['rgba-16.png'] = png(np.concatenate([wide, (np.asarray(alpha, np.uint16) * 257)[..., None]], -1), 16, 6)
files['gamma.png'] = png(rgb, 8, 2, extra=chunk(b'gAMA', struct.pack('>I', 100000)))
# A profile that visibly changes colours when it is applied: sRGB with the red and blue primaries exchanged.
profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes())
profile[24:36] = bytes(12)  # its date, which would change the files at every run
profile = bytes(profile).replace(b'rXYZ', b'tmpX').replace(b'bXYZ', b'rXYZ').replace(b'tmpX', b'bXYZ')
save('profile.png', base, icc_profile=profile)
save('profile.jpg', base, icc_profile=profile, quality=90)
for n, options in dict(baseline={}, progressive=dict(progressive=True), s422=dict(subsampling=1), s444=dict(subsampling=0), q30=dict(quality=30),
                       restart=dict(restart_marker_rows=1), optimised=dict(optimize=True)).items():
    save(f'{n}.jpg', base, **options)
save('grey.jpg', grey)
save('cmyk.jpg', base.convert('CMYK'), quality=95)
save('cmyk-progressive.jpg', base.convert('CMYK'), progressive=True)
cmyk = files['cmyk.jpg']
at = cmyk.index(b'\xff\xee')
files['cmyk-no-adobe.jpg'] = cmyk[:at] + cmyk[at + 2 + struct.unpack('>H', cmyk[at + 2:at + 4])[0]:]
files['ycck.jpg'] = cmyk[:at + 15] + b'\x02' + cmyk[at + 16:]
# Bytes that belong to nothing before a restart marker: libjpeg warns and goes on, and so does Pillow.
at = files['restart.jpg'].index(b'\xff\xd0')
files['stray-bytes.jpg'] = files['restart.jpg'][:at] + bytes(range(1, 13)) + files['restart.jpg'][at:]
exif = Image.Exif(); exif[0x0112] = 6
save('exif6.jpg', base, exif=exif)
save('exif6.png', base, exif=exif)
save('exif6.webp', base, exif=exif.tobytes(), lossless=True)
save('lossless.webp', base, lossless=True)
save('lossless-alpha.webp', rgba, lossless=True, exact=True)
save('lossy.webp', base, quality=80)
save('lossy-alpha.webp', rgba, quality=80)
save('animated.webp', base, save_all=True, append_images=[base.transpose(Image.FLIP_LEFT_RIGHT)], lossless=True)
save('still.gif', base)
save('interlaced.gif', base.quantize(32), interlace=True)
save('transparent.gif', base.quantize(32), transparency=5)
save('animated.gif', base.quantize(32), save_all=True, append_images=[base.transpose(Image.FLIP_LEFT_RIGHT).quantize(32)], duration=100, loop=0)
save('grey.gif', grey)
# A first frame smaller than the canvas.
small = files['interlaced.gif']
files['offset.gif'] = small[:6] + struct.pack('<HH', W + 9, H + 5) + small[10:]
small = files['transparent.gif']
files['offset-transparent.gif'] = small[:6] + struct.pack('<HH', W + 3, H + 2) + small[10:]
save('lossy.avif', base, quality=60)
save('s444.avif', base, quality=80, subsampling='4:4:4')
save('alpha.avif', rgba, quality=80)
save('grey.avif', grey, quality=80)
save('exif6.avif', base, exif=exif.tobytes(), quality=80)

sha = lambda a: hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()
rows = []
keep = {}
for name, data in sorted(files.items()):
    with open(f'{out}/{name}', 'wb') as f: f.write(data)
    image = Image.open(io.BytesIO(data))
    mode = image.mode
    array = np.asarray(image.convert('RGB'))
    keep[name] = array
    rows.append(dict(file=name, mode=mode, width=array.shape[1], height=array.shape[0], rgb_sha256=sha(array)))
    # Of AVIF the pixels themselves: there a tolerance is tested.
    if name in ('s444.avif', 'lossy.avif', 'alpha.avif'): Image.fromarray(array).save(f'{out}/{name}.pillow.png')
    if os.environ.get('RGB'): array.tofile(f"{os.environ['RGB']}/{name}.rgb")

filters = dict(nearest=0, lanczos=1, bilinear=2, bicubic=3, box=4, hamming=5)
resize = [dict(width=w, height=h, filter=n, sha256=sha(np.asarray(base.resize((w, h), k))))
          for w, h in [(16, 16), (61, 20), (30, 45), (61, 45), (200, 7), (3, 100), (122, 90), (1, 1), (7, 300)] for n, k in filters.items()]
made = dict(made_by='make_kinds.py', pillow=PIL.__version__, libjpeg_turbo=features.version('libjpeg_turbo'), webp=features.version('webp'), avif=features.version('avif'),
            note='sha256 of HxWx3 uint8 bytes after Image.convert("RGB"); resize: of interlaced.png', cases=rows, resize=resize)
with open(f'{here}/kinds.json', 'w') as f: json.dump(made, f, indent=0)
