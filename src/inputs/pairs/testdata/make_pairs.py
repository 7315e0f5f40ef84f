"""Pairs in parquet, in the layouts that people have. Run: python make_pairs.py (pyarrow 21.0.0; pictures are three colours of 6 x 4 pixels)."""
import os
import struct
import zlib

import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))


def png(colour, size=(6, 4)):
    width, height = size
    raw = b''.join(b'\0' + bytes(colour) * width for _ in range(height))
    chunk = lambda kind, data: struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    head = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', zlib.compress(raw)) + chunk(b'IEND', b'')


COLOURS = [(200, 0, 0), (0, 180, 0), (0, 0, 160)]
NAMES = ['red.png', 'green.png', 'blue.png']
CAPTIONS = ['a red square', 'a green square', 'a blue square, été']
picture = pa.struct([('bytes', pa.binary()), ('path', pa.string())])
records = [{'bytes': png(c), 'path': n} for c, n in zip(COLOURS, NAMES)]
ids = pa.array([7, 2**53 + 1, None], pa.int64())

# As `datasets` writes a set with pictures, two rows a group.
pq.write_table(pa.table({'image': pa.array(records, picture), 'caption': CAPTIONS, 'id': ids}), f'{HERE}/pictures.parquet', row_group_size=2)
# Plain bytes, a synonym in capitals, and a picture that is missing.
pq.write_table(pa.table({'Image': pa.array([png(COLOURS[0]), None], pa.binary()), 'TEXT': CAPTIONS[:2]}), f'{HERE}/bytes.parquet')
# Only paths: as text, and as records without bytes.
pq.write_table(pa.table({'file_name': NAMES, 'text': CAPTIONS}), f'{HERE}/paths.parquet')
pq.write_table(pa.table({'image': pa.array([{'bytes': None, 'path': n} for n in NAMES], picture), 'text': CAPTIONS}), f'{HERE}/linked.parquet')
