"""TIFF, BMP, PNM, odd GIF canvases and 16-bit films, with what Pillow and numpy make of them: formats/ and formats.json.

    python3 -m venv venv && venv/bin/pip install pillow==13.0.0 numpy && venv/bin/python make_formats.py

The picture is computed here, so the files are the project's own. `rgb_sha256`: Pillow's `convert('RGB')`; `windows`: SHA-256 of the grey or RGB
bytes `round(255 (v - low) / (high - low))`, cut off at both ends, computed by numpy from the stored values.
"""
import hashlib, io, json, os, struct, zlib
import numpy as np, PIL
from PIL import Image, TiffImagePlugin

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, 'formats')
os.makedirs(out, exist_ok=True)
H, W = 29, 37
rng = np.random.default_rng(12)
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([6 * x, 8 * y, 128 + 60 * np.sin(x / 5) + 60 * np.cos(y / 4)], -1)
rgb = np.clip(rgb + rng.normal(0, 5, rgb.shape), 0, 255).astype(np.uint8)
base = Image.fromarray(rgb)
grey = base.convert('L')
alpha = Image.fromarray(np.clip(x * 7 - 20, 0, 255).astype(np.uint8))
rgba = base.copy(); rgba.putalpha(alpha)
la = grey.copy(); la.putalpha(alpha)
sha = lambda a: hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()
files, stored = {}, {}


def save(name, image, kind=None, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind or name.rsplit('.', 1)[1], **options)
    files[name] = buffer.getvalue()


def tiff(pixels, bits, photometric, kind=1, end='<', orientation=None, more=()):
    """A TIFF of one strip, with tags that Pillow does not write."""
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    tags = [(256, 3, [pixels.shape[1]]), (257, 3, [pixels.shape[0]]), (258, 3, [bits] * samples), (259, 3, [1]), (262, 3, [photometric]), (273, 4, [0]),
            (277, 3, [samples]), (278, 3, [pixels.shape[0]]), (279, 4, [pixels.nbytes]), (284, 3, [1]), (339, 3, [kind] * samples), *more]
    if orientation: tags.append((274, 3, [orientation]))
    tags.sort()
    pack = lambda t, v: struct.pack(end + {3: 'H', 4: 'I'}[t] * len(v), *v)
    start = 8 + 2 + 12 * len(tags) + 4
    size = sum(len(pack(t, v)) for _, t, v in tags if len(pack(t, v)) > 4)
    head, far = b'', b''
    for tag, t, v in tags:
        data = pack(t, [start + size] if tag == 273 else v)
        if len(data) > 4: data, far = struct.pack(end + 'I', start + len(far)), far + data
        head += struct.pack(end + 'HHI', tag, t, len(v)) + data.ljust(4, b'\0')
    return (b'II' if end == '<' else b'MM') + struct.pack(end + 'HIH', 42, 8, len(tags)) + head + bytes(4) + far + pixels.tobytes()


# TIFF
save('rgb-lzw.tif', base, 'TIFF', compression='tiff_lzw')
save('rgb-deflate.tif', base, 'TIFF', compression='tiff_adobe_deflate')
save('rgb-jpeg.tif', base, 'TIFF', compression='jpeg')
save('grey-packbits.tif', grey, 'TIFF', compression='packbits')
save('fax.tif', grey.convert('1'), 'TIFF', compression='group4')
save('palette.tif', base.quantize(16), 'TIFF', compression='tiff_lzw')
save('rgba.tif', rgba, 'TIFF', compression='tiff_lzw')
save('grey-alpha.tif', la, 'TIFF', compression='tiff_lzw')
save('cmyk.tif', base.convert('CMYK'), 'TIFF', compression='tiff_lzw')
save('pages.tif', base, 'TIFF', save_all=True, append_images=[grey, grey], compression='tiff_lzw')
turned = TiffImagePlugin.ImageFileDirectory_v2(); turned[274] = 6
save('exif6.tif', base, 'TIFF', tiffinfo=turned, compression='tiff_lzw')
files['white-is-zero.tif'] = tiff(np.asarray(grey), 8, 0)
save('refused-ycbcr.tif', base.convert('YCbCr'), 'TIFF')
save('refused-lab.tif', base.convert('LAB'), 'TIFF')
save('refused-float.tif', Image.fromarray(np.asarray(grey).astype(np.float32)), 'TIFF')
save('refused-int32.tif', Image.fromarray(np.asarray(grey).astype(np.int32)), 'TIFF')
files['refused-signed.tif'] = tiff((np.asarray(grey).astype(np.int16) - 100).astype('<i2'), 16, 1, kind=2)

# 10-, 12-, 14- and 16-bit samples
level = np.asarray(grey).astype(np.uint32)
film = {10: 40 + level * 3, 12: 200 + level * 12, 14: 900 + level * 50, 16: 7 + level * 257 % 65521}
for bits, values in film.items():
    image = Image.fromarray(values.astype(np.uint16))
    save(f'film-{bits}.png', image); save(f'film-{bits}.tif', image, 'TIFF', compression='tiff_lzw')
    stored[f'film-{bits}.png'] = stored[f'film-{bits}.tif'] = values
files['film-12-big-endian.tif'] = tiff(film[12].astype('>u2'), 16, 1, end='>'); stored['film-12-big-endian.tif'] = film[12]
files['film-12-white-is-zero.tif'] = tiff(film[12].astype('<u2'), 16, 0)
colour = rgb.astype(np.uint16) * 12 + 90
files['colour-12.tif'] = tiff(colour.astype('<u2'), 16, 2); stored['colour-12.tif'] = colour
files['colour-16.tif'] = tiff((rgb.astype(np.uint16) * 257).astype('<u2'), 16, 2)

# PNM
plain = lambda a: '\n'.join(' '.join(str(int(v)) for v in row.reshape(-1)) for row in a)
bits = (np.asarray(grey) < 128).astype(np.uint8)
head = lambda kind, most='': f'P{kind}\n# a comment\n{W} {H}\n{most}' + ('\n' if most else '')
files['plain.pbm'] = (head(1) + '\n'.join(''.join(map(str, row)) for row in bits)).encode()
files['plain.pgm'] = (head(2, 100) + plain(np.asarray(grey) * 100 // 255)).encode()
files['plain.ppm'] = (head(3, 255) + plain(rgb)).encode()
files['bits.pbm'] = head(4).encode() + np.packbits(bits, 1).tobytes()
files['grey.pgm'] = head(5, 255).encode() + np.asarray(grey).tobytes()
files['grey-101.pgm'] = head(5, 101).encode() + (np.asarray(grey).astype(int) * 101 // 255).astype(np.uint8).tobytes()
files['rgb.ppm'] = head(6, 255).encode() + rgb.tobytes()
files['rgb-16.ppm'] = head(6, 65535).encode() + (rgb.astype(np.uint16) * 251).astype('>u2').tobytes()
files['rgb-10.ppm'] = head(6, 1023).encode() + (rgb.astype(np.uint16) * 4).astype('>u2').tobytes()
files['film-12.pgm'] = head(5, 4095).encode() + film[12].astype('>u2').tobytes(); stored['film-12.pgm'] = film[12]

# BMP
def bmp(bits, compression, data, height=H, palette=b'', masks=b'', size=40, width=W):
    if size == 12: top = struct.pack('<IHHHH', 12, width, height, 1, bits)
    else: top = struct.pack('<IiiHHIIiiII', size, width, height, 1, bits, compression, len(data), 2835, 2835, len(palette) // 4, 0)
    if size > 40: top += masks.ljust(size - 40, b'\0'); masks = b''
    start = 14 + len(top) + len(masks) + len(palette)
    return b'BM' + struct.pack('<IHHI', start + len(data), 0, 0, start) + top + masks + palette + data


rows = lambda a, down=False: b''.join(r.tobytes() + bytes(-len(r.tobytes()) % 4) for r in (a if down else a[::-1]))
bgr = np.ascontiguousarray(rgb[..., ::-1])
bgra = np.concatenate([bgr, np.full((H, W, 1), 77, np.uint8)], -1)
r, g, b = (rgb[..., i].astype(np.uint16) for i in range(3))
def colours(image):
    table = np.array(image.getpalette()).reshape(-1, 3)
    return np.concatenate([table[:, ::-1], np.zeros((len(table), 1))], 1).astype(np.uint8)
few = base.quantize(16); indices = np.asarray(few); table = colours(few)[:16]
def runs(a, half):
    data = b''
    for row in a[::-1]:
        at = 0
        while at < len(row):
            n = 1
            while at + n < len(row) and n < 255 and row[at + n] == row[at]: n += 1
            part = row[at:at + 5]
            if n == 1 and len(part) == 5:
                code = part if not half else np.array([part[0] << 4 | part[1], part[2] << 4 | part[3], part[4] << 4], np.uint8)
                data += bytes([0, 5]) + code.tobytes() + bytes(len(code) % 2); at += 5
            else: data += bytes([n, row[at] << 4 | row[at] if half else row[at]]); at += n
        data += b'\0\0'
    return data + b'\0\1'
files['rgb-24.bmp'] = bmp(24, 0, rows(bgr))
files['top-down.bmp'] = bmp(24, 0, rows(bgr, True), -H)
files['os2.bmp'] = bmp(24, 0, rows(bgr), size=12)
files['rgb-32.bmp'] = bmp(32, 0, rows(bgra))
files['fields-32-v5.bmp'] = bmp(32, 3, rows(bgra), masks=struct.pack('<IIII', 0xff0000, 0xff00, 0xff, 0xff000000), size=124)
files['fields-32-rgba.bmp'] = bmp(32, 3, rows(np.concatenate([rgb, bgra[..., 3:]], -1)), masks=struct.pack('<IIII', 0xff, 0xff00, 0xff0000, 0xff000000), size=108)
files['rgb-555.bmp'] = bmp(16, 0, rows(((r >> 3) << 10 | (g >> 3) << 5 | b >> 3).astype('<u2')))
files['rgb-565.bmp'] = bmp(16, 3, rows(((r >> 3) << 11 | (g >> 2) << 5 | b >> 3).astype('<u2')), masks=struct.pack('<III', 0xf800, 0x7e0, 0x1f))
files['palette-8.bmp'] = bmp(8, 0, rows(indices), palette=table.tobytes())
files['palette-4.bmp'] = bmp(4, 0, rows((np.pad(indices, ((0, 0), (0, W % 2)))[:, ::2] << 4 | np.pad(indices, ((0, 0), (0, W % 2)))[:, 1::2]).astype(np.uint8)), palette=table.tobytes())
files['palette-1.bmp'] = bmp(1, 0, rows(np.packbits(bits, 1)), palette=bytes([10, 20, 30, 0, 200, 210, 220, 0]))
files['palette-os2.bmp'] = bmp(8, 0, rows(indices), palette=np.pad(table[:, :3], ((0, 240), (0, 0))).tobytes(), size=12)
files['runs-8.bmp'] = bmp(8, 1, runs(indices, False), palette=table.tobytes() + bytes(960))
files['runs-4.bmp'] = bmp(4, 2, runs(indices, True), palette=table.tobytes())

# GIF: a first frame smaller than canvases of common sizes, and one that reaches out of its canvas
buffer = io.BytesIO(); base.quantize(32).save(buffer, 'GIF'); gif = buffer.getvalue()
at = gif.index(b'\x2c\0\0\0\0')
for name, (cw, ch, left, top) in {'canvas-640x480.gif': (640, 480, 10, 20), 'canvas-800x600.gif': (800, 600, 0, 0), 'canvas-1024x768.gif': (1024, 768, 900, 700), 'canvas-too-small.gif': (20, 10, 5, 3)}.items():
    files[name] = gif[:6] + struct.pack('<HH', cw, ch) + gif[10:at + 1] + struct.pack('<HH', left, top) + gif[at + 5:]

cases = []
for name, data in sorted(files.items()):
    with open(f'{out}/{name}', 'wb') as f: f.write(data)
    if name.startswith('refused'): continue
    image = Image.open(io.BytesIO(data))
    array = np.asarray(image.convert('RGB'))
    row = dict(file=name, mode=image.mode, width=array.shape[1], height=array.shape[0], rgb_sha256=sha(array))
    if name in stored:
        values = stored[name].astype(float)
        def window(low, high):
            byte = np.clip(np.floor(255 * (values - low) / (high - low) + 0.5), 0, 255).astype(np.uint8)
            return sha(byte if byte.ndim == 3 else np.repeat(byte[..., None], 3, 2))
        row.update(least=int(values.min()), most=int(values.max()), windows=[dict(low=lo, high=hi, sha256=window(lo, hi)) for lo, hi in [(values.min(), values.max()), (0, 4095), (300, 1500)]])
    cases.append(row)
with open(f'{here}/formats.json', 'w') as f: json.dump(dict(made_by='make_formats.py', pillow=PIL.__version__, numpy=np.__version__, cases=cases), f, indent=0)
