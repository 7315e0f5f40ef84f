/**
 * @file A small WebAssembly assembler: expressions as byte lists, functions, a module with one memory. Only the opcodes that the kernels
 * of this folder use (WebAssembly core specification 2.0 with SIMD, appendix "Index of Instructions").
 */

/** Bytes of instructions, in nested lists that are flattened once. An expression leaves one value on the stack, a statement none. */
export type Code = readonly (number | Code)[];
/** Value types by their binary encoding. */
export type ValueType = 'i32' | 'v128';

const TYPE: Record<ValueType, number> = { i32: 0x7f, v128: 0x7b };

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  do {
    const low = value & 0x7f;
    value >>>= 7;
    bytes.push(value ? low | 0x80 : low);
  } while (value);
  return bytes;
}

/** Signed LEB128 of a 32-bit integer. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  while (true) {
    const low = value & 0x7f;
    value >>= 7;
    const done = (value === 0 && !(low & 0x40)) || (value === -1 && low & 0x40);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

function flatten(code: Code, bytes: number[] = []): number[] {
  for (const part of code) {
    if (typeof part === 'number') bytes.push(part);
    else flatten(part, bytes);
  }
  return bytes;
}

/** An instruction whose operands are expressions. */
const plain =
  (opcode: number) =>
  (...operands: Code[]): Code => [...operands, opcode];
/** The same for the vector instructions, which stand behind a prefix; `immediate` bytes follow the opcode. */
const vector =
  (opcode: number, ...immediate: number[]) =>
  (...operands: Code[]): Code => [...operands, 0xfd, ...unsigned(opcode), ...immediate];
/** Sixteen bytes as a vector constant; WebAssembly is little-endian, as are all machines that Node and browsers run on. */
const constant = (lanes: { buffer: ArrayBuffer }): Code => [0xfd, 12, ...new Uint8Array(lanes.buffer)];
/** Memory immediates: alignment as a power of two, then a constant byte offset added to the address. */
const memory = (align: number, offset: number): number[] => [align, ...unsigned(offset)];

/** A parameter or local of a function. */
export class Local {
  constructor(private readonly index: number) {}
  readonly get = (): Code => [0x20, ...unsigned(this.index)];
  readonly set = (value: Code): Code => [value, 0x21, ...unsigned(this.index)];
}

/** 32-bit integers; addresses are bytes. */
export const i32 = {
  constant: (value: number): Code => [0x41, ...signed(value | 0)],
  load: (address: Code, offset = 0): Code => [address, 0x28, ...memory(2, offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, 0x36, ...memory(2, offset)],
  add: plain(0x6a),
  sub: plain(0x6b),
  and: plain(0x71),
  shl: plain(0x74),
  shiftRightUnsigned: plain(0x76),
  ctz: plain(0x68),
  lessUnsigned: plain(0x49),
};

/** 128 bits, whatever they mean. */
export const v128 = {
  load: (address: Code, offset = 0): Code => [address, 0xfd, 0, ...memory(2, offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, 0xfd, 11, ...memory(2, offset)],
  /** Stores one 32-bit lane. */
  storeLane: (address: Code, value: Code, lane: number): Code => [address, value, 0xfd, 0x5a, ...memory(2, 0), lane],
  and: vector(0x4e),
  or: vector(0x50),
  xor: vector(0x51),
};

/** Four 32-bit integers or floats. */
export const i32x4 = {
  constant: (value: number): Code => constant(new Uint32Array(4).fill(value)),
  lanes: (...values: number[]): Code => constant(Uint32Array.from(values)),
  splat: vector(0x11),
  add: vector(0xae),
  greaterUnsigned: vector(0x3c),
  /** Lanes 0-3 pick from `a`, 4-7 from `b`. */
  shuffle: (a: Code, b: Code, lanes: readonly number[]): Code =>
    vector(13, ...lanes.flatMap(lane => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]))(a, b),
  /** 64-bit products of the lower or upper two lanes. */
  productsLow: vector(0xde),
  productsHigh: vector(0xdf),
  /** One bit per lane: its sign. */
  bitmask: vector(0xa4),
  /** Sixteen lanes of masks to sixteen bits. */
  bitmask16: (a: Code, b: Code, c: Code, d: Code): Code => vector(0x64)(vector(0x65)(vector(0x85)(a, b), vector(0x85)(c, d))),
};

/** Two 64-bit integers. */
export const i64x2 = {
  constant: (value: bigint): Code => constant(new BigUint64Array(2).fill(value)),
  shiftRightUnsigned: vector(0xcd),
  add: vector(0xce),
  sub: vector(0xd1),
};

/** Two 64-bit floats, IEEE: every result is the one JavaScript gets for the same operation. */
export const f64x2 = {
  constant: (value: number): Code => constant(new Float64Array(2).fill(value)),
  /** The lower two signed 32-bit integers. */
  fromInt: vector(0xfe),
  abs: vector(0xec),
  sqrt: vector(0xef),
  add: vector(0xf0),
  sub: vector(0xf1),
  mul: vector(0xf2),
  div: vector(0xf3),
  /** Rounded to float32 in the lower two lanes. */
  toFloat32: vector(0x5e),
};

/** Whether four float32 lanes differ. */
export const f32x4 = { differs: vector(0x42) };

/** Repeats `body` while `condition` is not zero; tests before the first turn. */
export function repeatWhile(condition: Code, body: Code): Code {
  // block { loop { br_if 1 (condition == 0); body; br 0 } }
  return [0x02, 0x40, 0x03, 0x40, condition, 0x45, 0x0d, 1, body, 0x0c, 0, 0x0b, 0x0b];
}

/** A function under construction: parameters of type i32, then locals. */
export class WasmFunction {
  readonly parameters: Local[];
  private readonly locals: ValueType[] = [];

  constructor(
    readonly name: string,
    private readonly parameterCount: number,
    private readonly returnsInt: boolean,
  ) {
    this.parameters = Array.from({ length: parameterCount }, (_, i) => new Local(i));
  }

  local(type: ValueType): Local {
    this.locals.push(type);
    return new Local(this.parameterCount + this.locals.length - 1);
  }

  /** Type, and body around `code`, in binary form. */
  assemble(code: Code): { name: string; type: Code; body: Code } {
    const result = this.returnsInt ? [1, TYPE.i32] : [0];
    const type = [0x60, ...unsigned(this.parameterCount), ...Array(this.parameterCount).fill(TYPE.i32), ...result];
    const locals = [...unsigned(this.locals.length), ...this.locals.flatMap(local => [1, TYPE[local]])];
    const body = flatten([locals, code, 0x0b]);
    return { name: this.name, type, body: [unsigned(body.length), body] };
  }
}

/** A module that exports the functions by name and one memory of `pages` pages of 64 KiB as `memory`. */
export function assembleModule(pages: number, functions: readonly ReturnType<WasmFunction['assemble']>[]): Uint8Array<ArrayBuffer> {
  const section = (id: number, items: readonly Code[]): Code => {
    const content = flatten([unsigned(items.length), items]);
    return [id, unsigned(content.length), content];
  };
  const exported = (name: string, kind: number, index: number): Code => [name.length, ...new TextEncoder().encode(name), kind, index];
  const [types, indices, bodies] = [functions.map(f => f.type), functions.map((_, i) => unsigned(i)), functions.map(f => f.body)];
  const module: Code = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, types),
    section(3, indices),
    section(5, [[0x00, ...unsigned(pages)]]),
    section(7, [exported('memory', 2, 0), ...functions.map((f, i) => exported(f.name, 0, i))]),
    section(10, bodies),
  ];
  return Uint8Array.from(flatten(module));
}
