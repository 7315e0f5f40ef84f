"""Reference of area.ts: OpenCV's INTER_AREA down and up, on a small picture of our own. usage: python make_area.py DIR"""
import json, sys
import cv2, numpy as np

x = np.random.default_rng(3).integers(0, 256, (7, 9, 3), dtype=np.uint8)
sizes = [(9, 7), (4, 3), (5, 5), (14, 12), (4, 12), (27, 21)]
results = [{'width': w, 'height': h, 'data': cv2.resize(x, (w, h), interpolation=cv2.INTER_AREA).ravel().tolist()} for w, h in sizes]
json.dump({'opencv': cv2.__version__, 'width': 9, 'height': 7, 'data': x.ravel().tolist(), 'results': results}, open(f'{sys.argv[1]}/area.json', 'w'))
