"""Writes the parquet files of this folder (pyarrow 19.0.1). usage: python make_tables.py"""
import pyarrow as pa
import pyarrow.parquet as pq

BYTES = b"\x89PNG made up"
PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

rows = pa.table({
    "id": pa.array(range(6), pa.int64()),
    "question": [f"q{i}" for i in range(6)],
    "image": pa.array([
        {"bytes": BYTES, "path": None}, None, {"bytes": None, "path": None},
        {"bytes": BYTES, "path": "x.png"}, {"bytes": None, "path": "y.png"}, {"bytes": BYTES, "path": None}], PICTURE),
    "images": pa.array([
        [{"bytes": BYTES, "path": None}] * 2, [], None, [{"bytes": BYTES, "path": "z"}], [None], []], pa.list_(PICTURE)),
    "raw": pa.array([BYTES, None, BYTES, b"", BYTES, BYTES], pa.binary()),
    "large": pa.array([2**60 + i for i in range(6)], pa.int64()),
    "small": pa.array([None, 1, 2, 3, 4, 5], pa.int8()),
    "options": [["a", "b"], [], None, ["c"], ["d"], ["e"]],
})
LAYOUTS = {
    "plain": {},
    "no-statistics": {"write_statistics": False},
    "delta": {"use_dictionary": False, "column_encoding": {
        "question": "DELTA_BYTE_ARRAY", "raw": "DELTA_LENGTH_BYTE_ARRAY", "id": "DELTA_BINARY_PACKED"}},
    "groups-of-one": {"row_group_size": 1, "write_page_index": True, "compression": "lz4"},
}
for name, options in LAYOUTS.items():
    pq.write_table(rows, f"{name}.parquet", **options)

# One row group of 24 MB when it is decoded, a page for each row, an index of the pages.
large = pa.table({"id": pa.array(range(24), pa.int64()), "raw": pa.array([bytes([i]) * 2**20 for i in range(24)], pa.binary())})
pq.write_table(large, "pages.parquet", compression="zstd", use_dictionary=False, write_batch_size=1, write_page_index=True, write_statistics=False)
