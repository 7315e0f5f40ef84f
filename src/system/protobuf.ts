/** @file A small writer of Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding), for ONNX and TensorBoard. */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
/** Payloads from this size on are kept by reference until `finish` instead of being copied. */
const REFERENCE_FROM = 4096;
const encoder = new TextEncoder();

/**
 * Writes the fields of one message in the order of the calls; field numbers are those of the `.proto` file.
 * Large `bytes` and large nested messages are kept by reference and copied once, in `finish`: do not change them before.
 */
export class ProtoWriter {
  private readonly chunks: Uint8Array[] = [];
  private sealed = 0;
  private buffer = new Uint8Array(64);
  private view = new DataView(this.buffer.buffer);
  private start = 0;
  private end = 0;

  /** Bytes written so far. */
  get size(): number {
    return this.sealed + this.end - this.start;
  }

  /** int32, int64, uint64, bool or enum field. Negative values take ten bytes (two's complement). @throws RangeError for a fraction. */
  varint(field: number, value: bigint | number): this {
    this.key(field, VARINT);
    this.raw(value);
    return this;
  }

  /** double field. */
  double(field: number, value: number): this {
    this.key(field, FIXED64);
    this.room(8);
    this.view.setFloat64(this.end, value, true);
    this.end += 8;
    return this;
  }

  /** float field (rounded to float32). */
  float(field: number, value: number): this {
    this.key(field, FIXED32);
    this.room(4);
    this.view.setFloat32(this.end, value, true);
    this.end += 4;
    return this;
  }

  /** string field, as UTF-8. */
  string(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  /** bytes field. */
  bytes(field: number, value: Uint8Array): this {
    this.key(field, BYTES);
    this.raw(value.length);
    this.append(value);
    return this;
  }

  /** Nested message: another writer (copied as it is now), or a function that fills a new one. */
  message(field: number, content: ProtoWriter | ((writer: ProtoWriter) => void)): this {
    let writer: ProtoWriter;
    if (content instanceof ProtoWriter) writer = content;
    else {
      writer = new ProtoWriter();
      content(writer);
    }
    this.key(field, BYTES);
    this.raw(writer.size);
    for (const chunk of writer.chunks) this.append(chunk);
    this.append(writer.buffer.subarray(writer.start, writer.end));
    return this;
  }

  /** Packed repeated integer field; an empty list writes nothing. */
  packedVarints(field: number, values: Iterable<number | bigint>): this {
    const packed = new ProtoWriter();
    for (const value of values) packed.raw(value);
    return packed.size ? this.message(field, packed) : this;
  }

  /** Packed repeated float field; an empty list writes nothing. */
  packedFloats(field: number, values: ArrayLike<number>): this {
    if (values.length === 0) return this;
    const bytes = new Uint8Array(values.length * 4);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < values.length; i++) view.setFloat32(i * 4, values[i], true);
    return this.bytes(field, bytes);
  }

  /** The message as one array of its own. The writer may be written to further. */
  finish(): Uint8Array {
    const out = new Uint8Array(this.size);
    let at = 0;
    for (const chunk of this.chunks) {
      out.set(chunk, at);
      at += chunk.length;
    }
    out.set(this.buffer.subarray(this.start, this.end), at);
    return out;
  }

  private key(field: number, type: number): void {
    this.raw(field * 8 + type);
  }

  private raw(value: bigint | number): void {
    this.room(10);
    if (typeof value === 'number' && value >= 0 && value < 0x80000000) {
      let rest = Math.trunc(value);
      if (rest !== value) throw new RangeError(`a varint must be an integer, got ${value}.`);
      while (rest > 127) {
        this.buffer[this.end++] = (rest & 127) | 128;
        rest >>>= 7;
      }
      this.buffer[this.end++] = rest;
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.buffer[this.end++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.buffer[this.end++] = Number(rest);
  }

  private append(value: Uint8Array): void {
    if (value.length < REFERENCE_FROM) {
      this.room(value.length);
      this.buffer.set(value, this.end);
      this.end += value.length;
      return;
    }
    this.seal();
    this.chunks.push(value);
    this.sealed += value.length;
  }

  /** Moves what stands in the buffer to the chunk list; the buffer's tail stays in use. */
  private seal(): void {
    if (this.end === this.start) return;
    this.chunks.push(this.buffer.subarray(this.start, this.end));
    this.sealed += this.end - this.start;
    this.start = this.end;
  }

  private room(count: number): void {
    if (this.end + count <= this.buffer.length) return;
    const held = this.end - this.start;
    if (held >= REFERENCE_FROM) this.seal();
    const kept = this.buffer.subarray(this.start, this.end);
    this.buffer = new Uint8Array(Math.max(count, Math.min(65536, Math.max(64, 2 * (held + count)))) + kept.length);
    this.view = new DataView(this.buffer.buffer);
    this.buffer.set(kept);
    this.start = 0;
    this.end = kept.length;
  }
}
