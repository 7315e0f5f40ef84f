/** @file What both bindings of ONNX Runtime share: wrapping tensors, one run, release, and the rule that `into` is always filled. */
import type { DType, TypedArray } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Executable, Feeds, RunOptions } from './runtime.ts';

interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: TypedArray;
}
/** `ort.Tensor` of either binding. */
export type OrtTensors = new (type: string, data: TypedArray, dims: readonly number[]) => OrtTensor;
/** The part of `ort.InferenceSession` that is used here. */
export interface OrtSession {
  readonly outputNames: readonly string[];
  run(feeds: Record<string, OrtTensor>, fetches: Record<string, OrtTensor | null>, options: object): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

/** Longest ONNX protobuf the runtime reads; larger weights must be external. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/** @throws RangeError for a model too large to be handed over as bytes. */
export function sizesOk(model: Uint8Array): void {
  if (model.length > MAX_MODEL_BYTES)
    throw new RangeError('The graph holds more than 2 GiB of constants; keep weights in safetensors files.');
}

/** Errors are thrown; printing them too would mix with what the program prints. */
const QUIET = { logSeverityLevel: 4 } as const;

/** What every executable says when it is run after its release. */
export const releasedError = (): Error => new Error('This executable is already released; compile it again.');

/** Fills the tensors of `into` with the results of the same names, which it replaces. @throws TypeError, RangeError on another type or size. */
export function fillInto(results: Record<string, Tensor>, into: Feeds): Record<string, Tensor> {
  for (const [name, given] of Object.entries(into)) {
    const result = results[name];
    if (!result) continue;
    if (given.dtype !== result.dtype)
      throw new TypeError(`The tensor given for the output ${name} is ${given.dtype}, not ${result.dtype}.`);
    if (given.data.length !== result.data.length)
      throw new RangeError(`The tensor given for the output ${name} has ${given.data.length} elements, not ${result.data.length}.`);
    given.data.set(result.data as never);
    results[name] = given;
  }
  return results;
}

/** Bytes that ONNX Runtime's sums take at once. */
const PACKET = 16;

/**
 * The array, or a copy of it where it starts between two packets: a reduction over an input adds in an order that begins with the first whole
 * packet, so that the same numbers in a view at another place of its buffer would give another last bit.
 */
const aligned = (data: TypedArray): TypedArray => (data.byteOffset % PACKET === 0 ? data : data.slice());

const cleanups = new FinalizationRegistry<OrtSession>(session => void session.release().catch(() => {}));

/** A session of either binding as an `Executable`; one that is forgotten is released when it is collected. */
export class OrtExecutable implements Executable {
  private session: OrtSession | undefined;
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    session: OrtSession,
    private readonly OrtTensor: OrtTensors,
    private readonly beforeRun: () => void = () => {},
  ) {
    this.session = session;
    cleanups.register(this, session, this);
  }

  async run(inputs: Feeds, options: RunOptions = {}): Promise<Record<string, Tensor>> {
    const { session } = this;
    if (!session) throw releasedError();
    options.signal?.throwIfAborted();
    this.beforeRun();
    const feeds: Record<string, OrtTensor> = {};
    for (const [name, t] of Object.entries(inputs)) feeds[name] = new this.OrtTensor(t.dtype, aligned(t.data), t.shape);
    const fetches: Record<string, OrtTensor | null> = {};
    for (const name of options.outputs ?? session.outputNames) fetches[name] = null;
    const run = session.run(feeds, fetches, QUIET);
    this.running.add(run);
    let results: Record<string, OrtTensor>;
    try {
      results = await run;
    } finally {
      this.running.delete(run);
    }
    const out: Record<string, Tensor> = {};
    for (const [name, t] of Object.entries(results)) out[name] = { dtype: t.type as DType, shape: t.dims, data: t.data };
    return options.into ? fillInto(out, options.into) : out;
  }

  async release(): Promise<void> {
    const { session } = this;
    this.session = undefined;
    if (!session) return;
    cleanups.unregister(this);
    await Promise.allSettled(this.running);
    await session.release();
  }
}
