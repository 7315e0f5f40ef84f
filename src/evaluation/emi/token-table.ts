/** @file A table of token embeddings, read where it lies: whole where it is small, row by row where it is not. */
import { readFloats, type TensorEntry, toFloats } from '../../checkpoints/safetensors.ts';
import { NarrowsError } from '../../system/errors.ts';
import { allocate, DTYPES } from '../../tensor/dtype.ts';

/** Bytes up to which a table is read as a whole. */
const WHOLE = 2 ** 26;

/** Rows of a table by their number. */
export class TokenTable {
  private all: Promise<Float32Array> | undefined;
  private readonly rows = new Map<number, Float32Array>();

  /** @param entry [tokens, width] */
  constructor(private readonly entry: TensorEntry) {}

  get width(): number {
    return this.entry.shape[1];
  }

  /** One row. @throws NarrowsError for a number outside of the table */
  async row(id: number): Promise<Float32Array> {
    const [count, width] = this.entry.shape;
    if (!(id >= 0 && id < count))
      throw new NarrowsError(
        `The tokenizer gives the token ${id}, but "${this.entry.name}" has ${count} rows; they belong to different models.`,
      );
    const known = this.rows.get(id);
    if (known) return known;
    const row = this.entry.length <= WHOLE ? (await this.whole()).subarray(id * width, (id + 1) * width) : await this.read(id);
    this.rows.set(id, row);
    return row;
  }

  private whole(): Promise<Float32Array> {
    this.all ??= readFloats(this.entry);
    return this.all;
  }

  private async read(id: number): Promise<Float32Array> {
    const { dtype } = this.entry;
    const length = this.width * DTYPES[dtype].bytes;
    const data = allocate(dtype, this.width);
    new Uint8Array(data.buffer).set(await this.entry.read(id * length, length));
    return toFloats({ dtype, shape: [this.width], data });
  }
}
