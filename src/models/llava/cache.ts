/** @file Keys and values of a batch's tokens, on the host, in buffers with room to grow. */
import { floats, ints, type Tensor } from '../../tensor/tensor.ts';

/** Places added at least when the buffers are full. */
const ROOM = 32;

/** A cache of `layers` blocks. Each row has the same number of places; a mask tells which hold a token. */
export class KeyValueCache {
  /** Places in use. */
  private used = 0;
  /** Places there are. Never 0: the runtime's products over no element are better not tried. */
  private capacity = 1;
  private keys: Float32Array[];
  private values: Float32Array[];
  /** [rows, capacity], 1 = a token */
  private mask: Int32Array;

  constructor(
    private readonly layers: number,
    private rows: number,
    private readonly heads: number,
    private readonly width: number,
  ) {
    const buffers = (): Float32Array[] => Array.from({ length: layers }, () => new Float32Array(rows * heads * width));
    [this.keys, this.values] = [buffers(), buffers()];
    this.mask = new Int32Array(rows);
  }

  /** What a run of `decoderGraph` is fed. */
  feeds(): Record<string, Tensor> {
    const shape = [this.rows, this.heads, this.capacity, this.width];
    const feeds: Record<string, Tensor> = { past_mask: ints([this.rows, this.capacity], this.mask) };
    for (let i = 0; i < this.layers; i++) {
      feeds[`past.key.${i}`] = floats(shape, this.keys[i]);
      feeds[`past.value.${i}`] = floats(shape, this.values[i]);
    }
    return feeds;
  }

  /** Adds the tokens of a run: its `key.i` and `value.i`, [rows, heads, T, width]. @param shown int32 [rows, T], 0 = padding */
  append(outputs: Readonly<Record<string, Tensor>>, shown: Tensor): void {
    const tokens = shown.shape[1];
    if (this.used + tokens > this.capacity) this.grow(Math.max(this.used + tokens + ROOM, Math.ceil(this.used * 1.25)));
    const { capacity, used, width } = this;
    const write = (target: Float32Array, { data }: Tensor): void => {
      const source = data as Float32Array;
      for (let head = 0; head < this.rows * this.heads; head++)
        target.set(source.subarray(head * tokens * width, (head + 1) * tokens * width), (head * capacity + used) * width);
    };
    for (let i = 0; i < this.layers; i++) {
      write(this.keys[i], outputs[`key.${i}`]);
      write(this.values[i], outputs[`value.${i}`]);
    }
    for (let b = 0; b < this.rows; b++)
      this.mask.set((shown.data as Int32Array).subarray(b * tokens, (b + 1) * tokens), b * capacity + used);
    this.used += tokens;
  }

  /** Keeps some rows only, in the order given. */
  keep(rows: readonly number[]): void {
    const size = this.heads * this.capacity * this.width;
    const pick = <T extends Float32Array | Int32Array>(from: T, into: T, each: number): T => {
      rows.forEach((b, i) => {
        into.set(from.subarray(b * each, (b + 1) * each), i * each);
      });
      return into;
    };
    const floatsOf = (from: Float32Array): Float32Array => pick(from, new Float32Array(rows.length * size), size);
    this.keys = this.keys.map(floatsOf);
    this.values = this.values.map(floatsOf);
    this.mask = pick(this.mask, new Int32Array(rows.length * this.capacity), this.capacity);
    this.rows = rows.length;
  }

  private grow(capacity: number): void {
    const { used, width } = this;
    const wider = (from: Float32Array): Float32Array => {
      const into = new Float32Array(this.rows * this.heads * capacity * width);
      for (let head = 0; head < this.rows * this.heads; head++)
        into.set(from.subarray(head * this.capacity * width, (head * this.capacity + used) * width), head * capacity * width);
      return into;
    };
    this.keys = this.keys.map(wider);
    this.values = this.values.map(wider);
    const mask = new Int32Array(this.rows * capacity);
    for (let b = 0; b < this.rows; b++) mask.set(this.mask.subarray(b * this.capacity, b * this.capacity + used), b * capacity);
    this.mask = mask;
    this.capacity = capacity;
  }
}
