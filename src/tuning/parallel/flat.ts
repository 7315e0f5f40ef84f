/** @file Arrays of many parameters seen as one row of numbers, in the order of the parameters. */

/** Where each parameter stands in the row. */
export class FlatLayout {
  /** Where each begins, and the end of all. */
  readonly starts: readonly number[];
  private readonly names: readonly string[];

  constructor(parameters: readonly { readonly name: string; readonly data: { readonly length: number } }[]) {
    this.names = parameters.map(p => p.name);
    let at = 0;
    this.starts = [0, ...parameters.map(({ data: { length } }) => (at += length))];
  }

  /** Numbers of all parameters together. */
  get length(): number {
    return this.starts.at(-1)!;
  }

  /** Calls `each` for what of every parameter stands in `from` … `to`. */
  private visit(from: number, to: number, each: (name: string, at: number, start: number, end: number) => void): void {
    let i = this.starts.findLastIndex(start => start <= from);
    for (; i < this.names.length && this.starts[i] < to; i++) {
      const [start, end] = [Math.max(from, this.starts[i]), Math.min(to, this.starts[i + 1])];
      if (end > start) each(this.names[i], start - from, start - this.starts[i], end - this.starts[i]);
    }
  }

  /** Copies `from` … of the row into `out`, which stays as it is where an array is missing. */
  read(arrays: ReadonlyMap<string, Float32Array>, from: number, out: Float32Array): void {
    this.visit(from, from + out.length, (name, at, start, end) => {
      const array = arrays.get(name);
      if (array) out.set(array.subarray(start, end), at);
    });
  }

  /** Copies `values` to `from` … of the row. */
  write(arrays: ReadonlyMap<string, Float32Array>, from: number, values: Float32Array): void {
    this.visit(from, from + values.length, (name, at, start, end) => arrays.get(name)!.set(values.subarray(at, at + end - start), start));
  }
}
