"""Reference of spatter's water: OpenCV's edge detector, distance, equalisation and filters, one call after another, on whole numbers of our own.
usage: python make_spatter.py DIR
Writes spatter-layers.png (four layers, one under the other: smoothed noise cut below a threshold) and spatter-water.png (the light at their
edges, the same places), both grey."""
import sys
import cv2, numpy as np
from scipy.ndimage import gaussian_filter

out = sys.argv[1]
rng = np.random.default_rng(7)
layers, waters = [], []
for sigma, threshold, spread in [(4, .69, .3), (3, .68, .3), (2, .68, .3), (1, .6, .3)]:
    layer = gaussian_filter(rng.normal(.65, spread, (96, 120)), sigma, mode='nearest', truncate=4)
    layer[layer < threshold] = 0
    layer = np.uint8(np.clip(layer, 0, 1) * 255)
    edges = cv2.Canny(layer, 50, 150)
    far = cv2.distanceTransform(255 - edges, cv2.DIST_L2, 5)
    far = cv2.blur(np.minimum(far, 20), (3, 3)).astype(np.uint8)
    far = cv2.equalizeHist(far)
    far = cv2.filter2D(far, cv2.CV_8U, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]))
    layers.append(layer)
    waters.append(cv2.blur(far, (3, 3)))
cv2.imwrite(f'{out}/spatter-layers.png', np.vstack(layers))
cv2.imwrite(f'{out}/spatter-water.png', np.vstack(waters))
print(cv2.__version__, np.__version__, [int((w > 0).sum()) for w in waters])
