"""Writes all-types.safetensors with the Rust library (safetensors from PyPI; version printed). Run in this directory."""
import ctypes
import struct
import safetensors

f = lambda code, values: struct.pack(f"<{len(values)}{code}", *values)
tensors = {
    "z.half": ("float16", [3], f("e", [1.5, -2.0, 65504.0])),
    "brain": ("bfloat16", [2], f("H", [0x3FC0, 0xC000])),
    "a.weight": ("float32", [2, 3], f("f", [0.5, -1.0, 2.0, 3.25, -4.0, 1e-3])),
    "b.weight": ("float32", [1], f("f", [7.0])),
    "ids": ("int64", [2], f("q", [-5, 1 << 40])),
    "double": ("float64", [1], f("d", [0.1])),
    "count": ("int32", [2], f("i", [-7, 7])),
    "bytes": ("uint8", [3], bytes([0, 128, 255])),
    "mask": ("bool", [2], bytes([1, 0])),
    "scalar": ("float32", [], f("f", [9.0])),
    "empty": ("float32", [0, 4], b""),
    'ключ "ö"\n': ("float32", [1], f("f", [1.0])),
}
buffers = {k: ctypes.create_string_buffer(b, max(1, len(b))) for k, (_, _, b) in tensors.items()}
spec = lambda k, d, s, b: safetensors.TensorSpec(dtype=d, shape=s, data_ptr=ctypes.addressof(buffers[k]), data_len=len(b))
with open("all-types.safetensors", "wb") as out:
    out.write(safetensors.serialize({k: spec(k, *v) for k, v in tensors.items()}, {"format": "pt"}))
print(safetensors.__version__)
