"""Small DICOM files and the values pydicom reads from them and from its own packaged test files.

Usage: make_dicom.py OUT   (writes OUT/*.dcm, OUT/golden.json; OUT is src/inputs/image/dicom/testdata)

Needs pydicom, numpy, pillow, pylibjpeg, pylibjpeg-libjpeg, pylibjpeg-openjpeg, pyjpegls. The own files are drawn here: a slope with a bright
square and a dark disc. They carry the made-up patient "Zebedee^Quillfeather", of whom no output of a run may say a word.
"""
import hashlib
import json
import os
import shutil
import sys
import warnings

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian,
                         JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless)

warnings.filterwarnings("ignore")
out = sys.argv[1]
os.makedirs(out, exist_ok=True)
H, W = 36, 40


def picture(low, high):
    y, x = np.mgrid[0:H, 0:W]
    a = (x + y) / (H + W - 2)
    a = np.where((x > 24) & (x < 34) & (y > 6) & (y < 16), 1.0, a)
    a = np.where((x - 10) ** 2 + (y - 23) ** 2 < 36, 0.0, a)
    return np.round(low + a * (high - low)).astype(np.int64)


def write(name, values, *, allocated=16, stored=12, signed=False, photometric="MONOCHROME2", syntax=ExplicitVRLittleEndian, samples=1, frames=1,
          pixels=True, edit=None):
    ds = FileDataset(None, {}, preamble=b"\0" * 128)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.3680043.8.498.1234567890"
    meta.TransferSyntaxUID = syntax
    ds.file_meta = meta
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = "Zebedee^Quillfeather", "QF-77012345", "19511203"
    ds.InstitutionName, ds.ReferringPhysicianName, ds.AccessionNumber = "Brambleshire Infirmary", "Mossop^Ethel", "ACC5550199"
    ds.StudyInstanceUID, ds.StudyDescription, ds.Modality, ds.BodyPartExamined = "1.2.826.0.1.3680043.8.498.42", "Chest of Zebedee", "DX", "CHEST"
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = H, W, samples, photometric
    if samples == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = allocated, stored, stored - 1, int(signed)
    if frames > 1:
        ds.NumberOfFrames = frames
    dtype = {8: np.uint8, 16: np.int16 if signed else np.uint16, 32: np.uint32}[allocated]
    if pixels:
        data = np.asarray(values).astype(dtype)
        if syntax == ExplicitVRBigEndian:
            data = data.astype(data.dtype.newbyteorder(">"))
        ds.PixelData = data.tobytes()
        ds["PixelData"].VR = "OB" if allocated == 8 else "OW"
    if edit:
        edit(ds)
    if pixels and syntax in (JPEG2000Lossless, JPEGLSLossless, RLELossless):
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.compress(syntax, generate_instance_uid=False)
    path = os.path.join(out, name)
    big = syntax == ExplicitVRBigEndian
    pydicom.dcmwrite(path, ds, enforce_file_format=True, **({"little_endian": False, "implicit_vr": False} if big else {}))


def lut(first, entries, bits):
    item = Dataset()
    item.LUTDescriptor = [len(entries) % 65536, first, bits]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = np.asarray(entries, dtype="<u2").tobytes()
    item["LUTData"].VR = "OW"
    return item


def set_of(**values):
    def edit(ds):
        for key, value in values.items():
            setattr(ds, key, value)
    return edit


film = picture(100, 3900)
write("mono2-12.dcm", film)
write("mono1-12.dcm", film, photometric="MONOCHROME1", edit=set_of(WindowCenter=2000, WindowWidth=3000))
write("mono2-8.dcm", picture(0, 255), allocated=8, stored=8)
write("mono2-16.dcm", picture(0, 65535), stored=16)
write("signed-16.dcm", picture(-1000, 3000), stored=16, signed=True, edit=set_of(RescaleSlope=1, RescaleIntercept=-24, WindowCenter=40, WindowWidth=400))
write("signed-12.dcm", picture(-2000, 2000), stored=12, signed=True, edit=set_of(WindowCenter=[0, 500], WindowWidth=[1000, 200],
      WindowCenterWidthExplanation=["NORMAL", "HARDER"]))
write("rescale.dcm", film, edit=set_of(RescaleSlope=0.5, RescaleIntercept=-100.25, WindowCenter=850.5, WindowWidth=1501))
write("exact.dcm", film, edit=set_of(WindowCenter=2048, WindowWidth=4096, VOILUTFunction="LINEAR_EXACT"))
write("sigmoid.dcm", film, edit=set_of(WindowCenter=2048, WindowWidth=1024, VOILUTFunction="SIGMOID"))
write("voi-lut.dcm", film, edit=set_of(VOILUTSequence=[lut(200, [int(1023 * (i / 3000) ** 0.5) for i in range(3001)], 10),
      lut(0, [4095 - i for i in range(4096)], 12)], WindowCenter=2000, WindowWidth=1000))
write("modality-lut.dcm", film, edit=set_of(ModalityLUTSequence=[lut(0, [(i * i) // 256 for i in range(4096)], 16)], WindowCenter=20000, WindowWidth=30000))
write("big-endian.dcm", film, syntax=ExplicitVRBigEndian)
write("implicit.dcm", film, syntax=ImplicitVRLittleEndian)
write("deflated.dcm", film, syntax=DeflatedExplicitVRLittleEndian)
write("rle.dcm", film, syntax=RLELossless)
write("jpeg-2000.dcm", film, syntax=JPEG2000Lossless)
write("jpeg-2000-signed.dcm", picture(-2000, 2000), signed=True, syntax=JPEG2000Lossless)
write("jpeg-ls.dcm", film, syntax=JPEGLSLossless)
write("jpeg-ls-8.dcm", picture(0, 255), allocated=8, stored=8, syntax=JPEGLSLossless)
rgb = np.stack([picture(0, 255), picture(255, 0), picture(60, 90)], axis=-1)
write("rgb.dcm", rgb, allocated=8, stored=8, samples=3, photometric="RGB")
write("rgb-planar.dcm", np.moveaxis(rgb, -1, 0), allocated=8, stored=8, samples=3, photometric="RGB", edit=set_of(PlanarConfiguration=1))
write("ybr-full.dcm", rgb, allocated=8, stored=8, samples=3, photometric="YBR_FULL")
write("aspect.dcm", film, edit=set_of(PixelSpacing=[0.3, 0.2]))
write("frames.dcm", np.stack([picture(0, 255), picture(255, 0), picture(10, 20)]), allocated=8, stored=8, frames=3)
# What must be refused.
write("no-pixels.dcm", film, pixels=False)
write("bits-32.dcm", film, allocated=32, stored=32)
write("unknown-syntax.dcm", film)
at = os.path.join(out, "unknown-syntax.dcm")
plain = open(at, "rb").read()
# A syntax that does not exist, in a UID of the same length.
uid = b"1.2.840.10008.1.2.1\0"
open(at, "wb").write(plain.replace(uid, b"1.2.840.10008.1.2.9\0"))
write("palette.dcm", picture(0, 255), allocated=8, stored=8, photometric="PALETTE COLOR")
whole = open(os.path.join(out, "mono2-12.dcm"), "rb").read()
open(os.path.join(out, "truncated.dcm"), "wb").write(whole[:-300])
open(os.path.join(out, "header-cut.dcm"), "wb").write(whole[:700])
broken = bytearray(open(os.path.join(out, "jpeg-2000.dcm"), "rb").read())
broken[-180:-40] = bytes(140)
open(os.path.join(out, "broken-stream.dcm"), "wb").write(broken)

# Of pydicom's packaged test files (MIT with the package): small ones of the compressions that cannot be written above.
PACKAGED = ["MR_small_jpeg_ls_lossless.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_bigendian.dcm", "JPEG2000.dcm", "693_J2KI.dcm", "SC_rgb_rle.dcm",
            "SC_rgb_jpeg_gdcm.dcm", "SC_rgb_jls_lossy_sample.dcm", "SC_rgb_jls_lossy_line.dcm", "SC_rgb_gdcm_KY.dcm", "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_dcmtk_+eb+cr.dcm",
            "SC_rgb_dcmtk_+eb+cy+np.dcm", "SC_jpeg_no_color_transform.dcm", "SC_rgb_jpeg_app14_dcmd.dcm", "SC_rgb_rle_2frame.dcm",
            "SC_rgb_small_odd.dcm", "SC_rgb_small_odd_big_endian.dcm", "JPEGLSNearLossless_08.dcm", "JPEGLSNearLossless_16.dcm", "MR_truncated.dcm", "image_dfl.dcm"]
# The rest is only looked at where pydicom is at hand (check_dicom.ts); too large, or of people, to be kept here.
folder = os.path.join(os.path.dirname(pydicom.__file__), "data", "test_files")
kept = os.path.join(out, "pydicom")
os.makedirs(kept, exist_ok=True)
for name in PACKAGED:
    shutil.copy(os.path.join(folder, name), os.path.join(kept, name))


def sha(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def facts(path):
    try:
        ds = pydicom.dcmread(path)
        if ds.file_meta.TransferSyntaxUID == JPEGBaseline8Bit:
            # The decoder whose bytes Narrows gives for every JPEG; lossy JPEG differs between decoders.
            ds.pixel_array_options(decoding_plugin="pillow")
        pixels = ds.pixel_array
    except Exception as error:
        return {"refused": type(error).__name__}
    got = {"shape": list(pixels.shape), "frames": int(ds.get("NumberOfFrames", 1) or 1)}
    if got["frames"] > 1:
        pixels = pixels[1]
    got["pixels"] = sha(pixels.astype("<i4"))
    got["first"] = [int(v) for v in pixels.reshape(-1)[:6]]
    if ds.SamplesPerPixel == 1:
        values = apply_modality_lut(pixels, ds)
        got["modality"] = sha(values.astype("<f8"))
        views = max(len(ds.get("VOILUTSequence", []) or []), 1)
        shown = []
        counts = [len(ds.get("VOILUTSequence", []) or []), 0 if "WindowCenter" not in ds else (ds["WindowCenter"].VM or 0)]
        for prefer, count in ((True, counts[0]), (False, counts[1])):
            for index in range(count):
                try:
                    v = apply_voi_lut(values, ds, index=index, prefer_lut=prefer).astype("<f8")
                    shown.append({"sha": sha(v), "sum": float(v.sum()), "first": [float(x) for x in v.reshape(-1)[:6]]})
                except Exception as error:
                    shown.append({"refused": type(error).__name__})
        got["views"] = shown
    return got


golden = {"made_by": f"bench/peers/make_dicom.py, pydicom {pydicom.__version__}, numpy {np.__version__}"}
golden["own"] = {name: facts(os.path.join(out, name)) for name in sorted(os.listdir(out)) if name.endswith(".dcm")}
golden["pydicom"] = {name: facts(os.path.join(folder, name)) for name in sorted(os.listdir(folder)) if name.endswith(".dcm")}
with open(os.path.join(out, "golden.json"), "w") as file:
    json.dump(golden, file, indent=1)
    file.write("\n")
print(len(golden["own"]), "own files,", len(golden["pydicom"]), "of pydicom;", sum(os.path.getsize(os.path.join(kept, n)) for n in PACKAGED), "bytes kept")
