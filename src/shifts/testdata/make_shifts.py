"""Reference pictures of the deterministic shifts: NumPy, SciPy, OpenCV, matplotlib and Pillow, as imagecorruptions calls them (skimage's
gaussian and hsv are SciPy's gaussian_filter and matplotlib's hsv). usage: python make_shifts.py DIR chelsea.png
Writes small.png (the input), shifts.png (one row a shift, one column a severity) and motion.json."""
import io, json, math, sys
import cv2, matplotlib.colors, numpy as np, scipy, PIL
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

out, source = sys.argv[1:3]
picture = Image.open(source).convert('RGB').crop((90, 20, 378, 260)).resize((48, 40), Image.BOX)
x = np.asarray(picture).copy()
x[:4, :4] = 128  # greys, black and white have no hue
x[:4, 4:8] = 0
x[:4, 8:12] = 255
picture = Image.fromarray(x)
picture.save(f'{out}/small.png', optimize=True)
y = x / 255.0
H, W = x.shape[:2]


def disk(radius, alias_blur):
    half, k = (8, 3) if radius <= 8 else (radius, 5)
    l = np.arange(-half, half + 1)
    d = (l[:, None] ** 2 + l[None] ** 2 <= radius ** 2).astype(np.float32)
    return cv2.GaussianBlur(d / d.sum(), (k, k), sigmaX=alias_blur)


def defocus(s):
    return cv2.filter2D(y, -1, disk(*[(3, .1), (4, .5), (6, .5), (8, .5), (10, .5)][s]))


def contrast(s):
    m = y.mean((0, 1), keepdims=True)
    return (y - m) * [.4, .3, .2, .1, .05][s] + m


def hsv(change):
    h = matplotlib.colors.rgb_to_hsv(y)
    return matplotlib.colors.hsv_to_rgb(np.clip(change(h), 0, 1))


def brightness(s):
    return hsv(lambda h: h + np.array([0, 0, [.1, .2, .3, .4, .5][s]]))


def saturate(s):
    a, b = [(.3, 0), (.1, 0), (2, 0), (5, .1), (20, .2)][s]
    return hsv(lambda h: h * np.array([1, a, 1]) + np.array([0, b, 0]))


def blur(s):
    sigma = [1, 2, 3, 4, 6][s]
    return gaussian_filter(y, (sigma, sigma, 0), mode='nearest', truncate=4)


def clipped(a, z):
    h, w = math.ceil(a.shape[0] / z), math.ceil(a.shape[1] / z)
    t, l = (a.shape[0] - h) // 2, (a.shape[1] - w) // 2
    return zoom(a[t:t + h, l:l + w], (z, z, 1), order=1)


def zoomed(s):
    z = [np.arange(1, 1.11, .01), np.arange(1, 1.16, .01), np.arange(1, 1.21, .02), np.arange(1, 1.26, .02), np.arange(1, 1.31, .03)][s]
    return (y + sum(clipped(y, f)[:H, :W] for f in z)) / (len(z) + 1)


def pixelate(s):
    c = [.6, .5, .4, .3, .25][s]
    return picture.resize((int(W * c), int(H * c)), Image.BOX).resize((W, H), Image.NEAREST)


def jpeg(s):
    f = io.BytesIO()
    picture.save(f, 'JPEG', quality=[25, 18, 15, 10, 7][s])
    return Image.open(f)


rows = [defocus, contrast, brightness, saturate, blur, zoomed, pixelate, jpeg]
sheet = np.zeros((len(rows) * H, 5 * W, 3), np.uint8)
for r, f in enumerate(rows):
    for s in range(5):
        v = f(s)
        v = np.asarray(v) if isinstance(v, Image.Image) else np.uint8(np.clip(v, 0, 1) * 255)
        sheet[r * H:(r + 1) * H, s * W:(s + 1) * W] = v
Image.fromarray(sheet).save(f'{out}/shifts.png', optimize=True)


def motion(a, radius, sigma, angle):  # imagecorruptions' sum, with the edge pixel going on
    n = 2 * radius + 1
    k = np.exp(-np.arange(n) ** 2 / (2 * sigma ** 2))
    k /= k.sum()
    total = np.zeros_like(a)
    down, across = n * np.sin(np.deg2rad(angle)), n * np.cos(np.deg2rad(angle))
    for i in range(n):
        dy = -math.ceil(i * down / math.hypot(down, across) - .5)
        dx = -math.ceil(i * across / math.hypot(down, across) - .5)
        rows, cols = np.clip(np.arange(a.shape[0]) - dy, 0, a.shape[0] - 1), np.clip(np.arange(a.shape[1]) - dx, 0, a.shape[1] - 1)
        total += k[i] * a[rows][:, cols]
    return total


rng = np.random.default_rng(0)
small = rng.random((5, 7)).round(3)
json.dump({
    'versions': {'numpy': np.__version__, 'scipy': scipy.__version__, 'cv2': cv2.__version__, 'matplotlib': matplotlib.__version__,
                 'pillow': PIL.__version__},
    'image': small.tolist(), 'radius': 2, 'sigma': 1.5, 'angle': -30, 'motion': motion(small, 2, 1.5, -30).tolist(),
    'gaussian_reflect': gaussian_filter(small, (.8, 1.3), mode='reflect', truncate=3).tolist(),
    'zoom_2.5': clipped(small[..., None], 2.5)[..., 0].tolist(),
}, open(f'{out}/numbers.json', 'w'))
