/**
 * @file Philox words and standard normals by the thousand in WebAssembly SIMD, equal to the bit to `philox` and `normalQuantile`. Words:
 * four blocks at a time, one per lane. Normals: the centre repeats the JavaScript's float64 operations one by one; a tail needs a logarithm,
 * which WebAssembly lacks, so it is computed here to about 2^-47, and wherever float32 rounding could hang on the rest, JavaScript decides.
 */
import type { PhiloxInput } from './philox.ts';
import { assembleModule, type Code, f32x4, f64x2, i32, i32x4, i64x2, type Local, repeatWhile, v128, WasmFunction } from './wasm.ts';

/** Numbers held at a time: words and normals share one place, which with the lists of tails fits one page and a first-level cache. */
export const CHUNK = 4096;
/** Byte addresses: the numbers (and 64 spare bytes), the raw words of tails, and where each of them belongs. */
const SPARE = 4 * CHUNK;
const TAIL_WORDS = SPARE + 64;
const TAIL_PLACES = TAIL_WORDS + 4 * CHUNK + 64;

/** Least k for which a word of 2^31 + k lies in the upper tail. */
const EDGE = Math.ceil(0.425 * 2 ** 32 - 0.5);
/** Bits of sqrt(1/2) as float64. */
const ROOT_HALF = 0x3fe6a09e667f3bcdn;
/** Relative doubt about a tail: well over the logarithm's error (times about one). One number in two million is left over. */
const MARGIN = 2 ** -43;

/** The kernels and views of their memory. */
export interface NormalKernels {
  /** Writes the words of at least `blocks` Philox blocks from the counter of `first` on; at most CHUNK words. */
  words(blocks: number, first: PhiloxInput): void;
  /** Turns at least `count` words into normals; returns how many are left to JavaScript (listed in `tailWords`, `tailPlaces`). */
  normals(count: number): number;
  readonly numbers: Float32Array;
  readonly raw: Uint32Array;
  /** Raw words left to JavaScript, and the byte addresses in `numbers` where their normals go. */
  readonly tailWords: Uint32Array;
  readonly tailPlaces: Uint32Array;
}

/** Horner's rule in the order of `normalQuantile`: ((c0 x + c1) x + c2) ... */
const horner = (x: Code, [first, ...rest]: readonly number[]): Code =>
  rest.reduce<Code>((sum, c) => f64x2.add(f64x2.mul(sum, x), f64x2.constant(c)), f64x2.constant(first));

function wordsFunction() {
  const f = new WasmFunction('words', 7, false);
  const [blocks, c0, c1, c2, c3, k0, k1] = f.parameters;
  const [at, key0, key1] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const [x0, x1, x2, x3, low0, high0, low1, high1] = Array.from({ length: 8 }, () => f.local('v128'));
  const [M0, M1] = [i32x4.constant(0xd2511f53), i32x4.constant(0xcd9e8d57)];
  const evens = (low: Local, high: Local): Code => i32x4.shuffle(low.get(), high.get(), [0, 2, 4, 6]);
  const odds = (low: Local, high: Local): Code => i32x4.shuffle(low.get(), high.get(), [1, 3, 5, 7]);
  const round: Code = [
    low0.set(i32x4.productsLow(x0.get(), M0)),
    high0.set(i32x4.productsHigh(x0.get(), M0)),
    low1.set(i32x4.productsLow(x2.get(), M1)),
    high1.set(i32x4.productsHigh(x2.get(), M1)),
    x0.set(v128.xor(v128.xor(odds(low1, high1), x1.get()), i32x4.splat(key0.get()))),
    x1.set(evens(low1, high1)),
    x2.set(v128.xor(v128.xor(odds(low0, high0), x3.get()), i32x4.splat(key1.get()))),
    x3.set(evens(low0, high0)),
    key0.set(i32.add(key0.get(), i32.constant(0x9e3779b9))),
    key1.set(i32.add(key1.get(), i32.constant(0xbb67ae85))),
  ];
  // Lanes are blocks; a transposition of 4 x 4 puts each block's words side by side.
  const pairs = (a: Local, b: Local, from: number): Code => i32x4.shuffle(a.get(), b.get(), [from, 4 + from, from + 1, 5 + from]);
  const joined = (low: Local, high: Local, from: number): Code =>
    i32x4.shuffle(low.get(), high.get(), [from, from + 1, from + 4, from + 5]);
  return f.assemble(
    repeatWhile(i32.lessUnsigned(at.get(), i32.shl(blocks.get(), i32.constant(4))), [
      x0.set(i32x4.add(i32x4.splat(c0.get()), i32x4.lanes(0, 1, 2, 3))),
      x1.set(i32x4.splat(c1.get())),
      x2.set(i32x4.splat(c2.get())),
      x3.set(i32x4.splat(c3.get())),
      key0.set(k0.get()),
      key1.set(k1.get()),
      ...Array.from({ length: 10 }, () => round),
      low0.set(pairs(x0, x1, 0)),
      high0.set(pairs(x2, x3, 0)),
      low1.set(pairs(x0, x1, 2)),
      high1.set(pairs(x2, x3, 2)),
      v128.store(at.get(), joined(low0, high0, 0)),
      v128.store(at.get(), joined(low0, high0, 2), 16),
      v128.store(at.get(), joined(low1, high1, 0), 32),
      v128.store(at.get(), joined(low1, high1, 2), 48),
      at.set(i32.add(at.get(), i32.constant(64))),
      c0.set(i32.add(c0.get(), i32.constant(4))),
    ]),
  );
}

/** p - 1/2 of the lower two words, given the words less 2^31 as signed integers; exact, as it is in JavaScript. */
const centred = (signedWords: Code): Code =>
  f64x2.mul(f64x2.add(f64x2.fromInt(signedWords), f64x2.constant(0.5)), f64x2.constant(2 ** -32));
const upper = (x: Local): Code => i32x4.shuffle(x.get(), x.get(), [2, 3, 2, 3]);
const lowerLanes = (a: Code, b: Code): Code => i32x4.shuffle(a, b, [0, 1, 4, 5]);
const SIGN = i32x4.constant(0x80000000);

function normalsFunction() {
  const f = new WasmFunction('normals', 1, true);
  const [count] = f.parameters;
  const [at, lanes, tails, end, left] = Array.from({ length: 5 }, () => f.local('i32'));
  const signed = Array.from({ length: 4 }, () => f.local('v128'));
  const [q, r, t] = Array.from({ length: 3 }, () => f.local('v128'));

  /** Float32 normals of two words in the centre: AS 241 in the order of `normalQuantile`. */
  const central = (words: Code, to: Local): Code => [
    q.set(centred(words)),
    r.set(f64x2.sub(f64x2.constant(0.180625), f64x2.mul(q.get(), q.get()))),
    to.set(
      f64x2.toFloat32(
        f64x2.div(
          f64x2.mul(q.get(), horner(r.get(), [59.10937472, 159.29113202, 50.434271938, 3.3871327179])),
          horner(r.get(), [67.1875636, 78.757757664, 17.895169469, 1]),
        ),
      ),
    ),
  ];
  // |q| > 0.425 in integers: words from 0.925 * 2^32 up or below 0.075 * 2^32, seen as one unsigned comparison.
  const inTail = (x: Local): Code => i32x4.greaterUnsigned(i32x4.add(x.get(), i32x4.constant(EDGE)), i32x4.constant(2 * EDGE - 1));
  /** Appends the word and the place of lane `ctz(lanes)` to the lists. */
  const noteTail: Code = [
    left.set(i32.add(at.get(), i32.shl(i32.ctz(lanes.get()), i32.constant(2)))),
    i32.store(tails.get(), i32.load(left.get()), TAIL_WORDS),
    i32.store(tails.get(), left.get(), TAIL_PLACES),
    tails.set(i32.add(tails.get(), i32.constant(4))),
    lanes.set(i32.and(lanes.get(), i32.sub(lanes.get(), i32.constant(1)))),
  ];
  const [low, high] = [f.local('v128'), f.local('v128')];
  const centre = repeatWhile(i32.lessUnsigned(at.get(), i32.shl(count.get(), i32.constant(2))), [
    ...signed.map((x, i) => x.set(v128.xor(v128.load(at.get(), 16 * i), SIGN))),
    lanes.set(i32x4.bitmask16(inTail(signed[0]), inTail(signed[1]), inTail(signed[2]), inTail(signed[3]))),
    repeatWhile(lanes.get(), noteTail),
    ...signed.map((x, i) => [
      central(x.get(), low),
      central(upper(x), high),
      v128.store(at.get(), lowerLanes(low.get(), high.get()), 16 * i),
    ]),
    at.set(i32.add(at.get(), i32.constant(64))),
  ]);

  /** |z| of two words in a tail, as the float32 values of its least and its greatest possible float64 value. */
  const tail = (words: Code, least: Local, most: Local): Code => [
    // The tail's probability p, cut into m * 2^k with m in [sqrt(1/2), sqrt(2)); 64 keeps the exponent positive.
    t.set(i64x2.sub(f64x2.sub(f64x2.constant(0.5), f64x2.abs(centred(words))), i64x2.constant(ROOT_HALF - (64n << 52n)))),
    q.set(
      f64x2.sub(
        v128.or(i64x2.shiftRightUnsigned(t.get(), i32.constant(52)), i64x2.constant(0x4330000000000000n)),
        f64x2.constant(2 ** 52 + 64),
      ),
    ),
    t.set(i64x2.add(v128.and(t.get(), i64x2.constant((1n << 52n) - 1n)), i64x2.constant(ROOT_HALF))),
    // log m = 2 artanh s, s = (m - 1) / (m + 1): eight terms leave 2^-47 of the whole, as |log p| >= 2.59.
    t.set(f64x2.div(f64x2.sub(t.get(), f64x2.constant(1)), f64x2.add(t.get(), f64x2.constant(1)))),
    r.set(f64x2.mul(t.get(), t.get())),
    r.set(f64x2.mul(t.get(), horner(r.get(), [-2 / 15, -2 / 13, -2 / 11, -2 / 9, -2 / 7, -2 / 5, -2 / 3, -2]))),
    r.set(f64x2.sub(f64x2.sqrt(f64x2.sub(r.get(), f64x2.mul(q.get(), f64x2.constant(Math.LN2)))), f64x2.constant(1.6))),
    // p >= 2^-33, so AS 241's far tail (r > 5) is never met.
    r.set(
      f64x2.div(
        horner(r.get(), [0.17023821103, 1.3067284816, 2.75681539, 1.4234372777]),
        horner(r.get(), [0.12021132975, 0.7370016425, 1]),
      ),
    ),
    least.set(f64x2.toFloat32(f64x2.mul(r.get(), f64x2.constant(1 - MARGIN)))),
    most.set(f64x2.toFloat32(f64x2.mul(r.get(), f64x2.constant(1 + MARGIN)))),
  ];
  const [s, least, most, least2, most2] = [signed[0], low, high, signed[1], signed[2]];
  const place = (lane: number): Code => i32.load(at.get(), TAIL_PLACES + 4 * lane);
  /** Moves the entry of lane `ctz(lanes)` to the front of the lists, for JavaScript; the front never overtakes the reading. */
  const keepTail: Code = [
    tails.set(i32.add(at.get(), i32.shl(i32.ctz(lanes.get()), i32.constant(2)))),
    i32.store(left.get(), i32.load(tails.get(), TAIL_WORDS), TAIL_WORDS),
    i32.store(left.get(), i32.load(tails.get(), TAIL_PLACES), TAIL_PLACES),
    left.set(i32.add(left.get(), i32.constant(4))),
    lanes.set(i32.and(lanes.get(), i32.sub(lanes.get(), i32.constant(1)))),
  ];
  const tailLoop = repeatWhile(i32.lessUnsigned(at.get(), end.get()), [
    s.set(v128.xor(v128.load(at.get(), TAIL_WORDS), SIGN)),
    tail(s.get(), least, most),
    tail(upper(s), least2, most2),
    least.set(lowerLanes(least.get(), least2.get())),
    most.set(lowerLanes(most.get(), most2.get())),
    lanes.set(i32x4.bitmask(f32x4.differs(least.get(), most.get()))),
    least.set(v128.or(least.get(), v128.and(s.get(), SIGN))),
    ...[0, 1, 2, 3].map(lane => v128.storeLane(place(lane), least.get(), lane)),
    repeatWhile(lanes.get(), keepTail),
    at.set(i32.add(at.get(), i32.constant(16))),
  ]);
  return f.assemble([
    centre,
    // Four tails at a time: three more entries that write to the spare place fill the last group.
    ...[0, 4, 8].map(offset => i32.store(tails.get(), i32.constant(SPARE), TAIL_PLACES + offset)),
    end.set(tails.get()),
    at.set(i32.constant(0)),
    left.set(i32.constant(0)),
    tailLoop,
    i32.shiftRightUnsigned(left.get(), i32.constant(2)),
  ]);
}

/** Assembles and compiles the kernels; undefined where WebAssembly or its SIMD is missing or forbidden (a page's security policy). */
export function normalKernels(): NormalKernels | undefined {
  try {
    const module = new WebAssembly.Module(assembleModule(1, [wordsFunction(), normalsFunction()]));
    const exports = new WebAssembly.Instance(module).exports as unknown as Pick<NormalKernels, 'normals'> & {
      words(...blocksCounterKey: number[]): void;
      memory: WebAssembly.Memory;
    };
    const { buffer } = exports.memory;
    return {
      words: (blocks, { c0, c1, c2, c3, k0, k1 }) => exports.words(blocks, c0, c1, c2, c3, k0, k1),
      normals: exports.normals,
      numbers: new Float32Array(buffer, 0, CHUNK),
      raw: new Uint32Array(buffer, 0, CHUNK),
      tailWords: new Uint32Array(buffer, TAIL_WORDS, CHUNK),
      tailPlaces: new Uint32Array(buffer, TAIL_PLACES, CHUNK),
    };
  } catch {
    // Any refusal ends here; that there is none in Node is tested.
    return undefined;
  }
}
