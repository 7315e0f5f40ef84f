/** @file The decoders of compressed DICOM frames, each loaded when it is needed: OpenJPEG and CharLS (compiled C++), JPEG lossless in JavaScript. */

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

/** The decoder itself did not come: no fault of the file. */
export class CodecMissing extends Error {}

const loaded = new Map<string, Promise<new () => WasmDecoder>>();

/** Emscripten prints what it meets, which might quote the file. */
const silent = { print: () => {}, printErr: () => {} };

/** Kinds of frame that a Cornerstone codec decodes. */
export type CodecKind = 'jpeg-2000' | 'jpeg-ls';
/** Gives a codec's module: as WebAssembly in Node, in one piece of JavaScript in a page, whose bundler would lose the `.wasm` beside it. */
export type LoadCodec = (kind: CodecKind) => Promise<unknown>;

function decoder(kind: CodecKind, load: LoadCodec): Promise<new () => WasmDecoder> {
  const known = loaded.get(kind);
  if (known) return known;
  const make = async (): Promise<new () => WasmDecoder> => {
    const { default: factory } = (await load(kind)) as { default: (options: object) => ReturnType<Factory> };
    const codec = await factory(silent);
    return kind === 'jpeg-2000' ? codec.J2KDecoder : codec.JpegLSDecoder;
  };
  const promise = make();
  loaded.set(kind, promise);
  // A page whose line was cut asks again.
  promise.catch(() => loaded.delete(kind));
  return promise;
}

/** Decodes JPEG 2000 or JPEG-LS. @throws CodecMissing where the decoder cannot be had; the decoder's own error where it cannot decode */
export async function decodeByCodec(kind: CodecKind, source: Uint8Array, load: LoadCodec): Promise<DecodedFrame> {
  const Decoder = await decoder(kind, load).catch((cause: unknown) => {
    throw new CodecMissing(kind, { cause });
  });
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
