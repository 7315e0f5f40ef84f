/** @file The decoders of compressed DICOM frames, each loaded when it is needed: OpenJPEG and CharLS as WebAssembly, JPEG lossless in JavaScript. */

/** A decoded frame: samples interleaved, little endian. */
export interface DecodedFrame {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly bits: number;
  readonly signed: boolean;
  readonly bytes: Uint8Array;
}

interface FrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned?: boolean;
}

/** A decoder of Cornerstone's codec packages. */
interface WasmDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): FrameInfo;
  getInterleaveMode?(): number;
  delete(): void;
}

type Factory = () => Promise<Record<string, new () => WasmDecoder>>;

const loaded = new Map<string, Promise<new () => WasmDecoder>>();

/** Emscripten prints what it meets, which might quote the file. */
const silent = { print: () => {}, printErr: () => {} };

function decoder(kind: 'jpeg-2000' | 'jpeg-ls'): Promise<new () => WasmDecoder> {
  const known = loaded.get(kind);
  if (known) return known;
  const load = async (): Promise<new () => WasmDecoder> => {
    const module = (kind === 'jpeg-2000'
      ? await import('@cornerstonejs/codec-openjpeg/decodewasmjs')
      : await import('@cornerstonejs/codec-charls/decodewasmjs')) as unknown as { default: (options: object) => ReturnType<Factory> };
    const codec = await module.default(silent);
    return kind === 'jpeg-2000' ? codec.J2KDecoder : codec.JpegLSDecoder;
  };
  const promise = load();
  loaded.set(kind, promise);
  return promise;
}

/** Decodes JPEG 2000 or JPEG-LS. Rejects with the decoder's own error where it cannot. */
export async function decodeWasm(kind: 'jpeg-2000' | 'jpeg-ls', source: Uint8Array): Promise<DecodedFrame> {
  const Decoder = await decoder(kind);
  const decode = new Decoder();
  try {
    decode.getEncodedBuffer(source.length).set(source);
    decode.decode();
    const info = decode.getFrameInfo();
    const bytes = Uint8Array.from(decode.getDecodedBuffer());
    const { width, height, componentCount: components, bitsPerSample: bits, isSigned = false } = info;
    const planes = kind === 'jpeg-ls' && components > 1 && decode.getInterleaveMode?.() === 0;
    return { width, height, components, bits, signed: isSigned, bytes: planes ? interleave(bytes, width * height, components) : bytes };
  } finally {
    decode.delete();
  }
}

/** Planes of one-byte samples, one after the other, to pixels. */
function interleave(bytes: Uint8Array, pixels: number, components: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let c = 0; c < components; c++) for (let i = 0; i < pixels; i++) out[i * components + c] = bytes[c * pixels + i];
  return out;
}

/** Decodes lossless JPEG (process 14). Throws where it cannot. */
export async function decodeLossless(source: Uint8Array): Promise<DecodedFrame> {
  const { Decoder } = (await import('jpeg-lossless-decoder-js')) as unknown as {
    Decoder: new () => {
      decode(buffer: ArrayBuffer, offset: number, length: number): { buffer: ArrayBuffer; byteOffset: number; byteLength: number };
      frame: { dimX: number; dimY: number; numComp: number; precision: number };
    };
  };
  const decode = new Decoder();
  const copy = Uint8Array.from(source);
  const { buffer, byteOffset, byteLength } = decode.decode(copy.buffer, 0, copy.length);
  const { dimX: width, dimY: height, numComp: components, precision: bits } = decode.frame;
  return { width, height, components, bits, signed: false, bytes: new Uint8Array(buffer, byteOffset, byteLength) };
}
