/** @file What both bindings of ONNX Runtime share: wrapping tensors, one run, and the rule that `into` is always filled. */
import type { DType, TypedArray } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Feeds } from './runtime.ts';

interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: TypedArray;
}
export type OrtTensors = new (type: string, data: TypedArray, dims: readonly number[]) => OrtTensor;
interface OrtSession {
  readonly outputNames: readonly string[];
  run(feeds: Record<string, OrtTensor>, fetches: Record<string, OrtTensor | null>): Promise<Record<string, OrtTensor>>;
}

/** Longest ONNX protobuf the runtime reads; larger weights must be external. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/** @throws RangeError for a model too large to be handed over as bytes. */
export function sizesOk(model: Uint8Array): void {
  if (model.length > MAX_MODEL_BYTES)
    throw new RangeError('The graph holds more than 2 GiB of constants; keep weights in safetensors files.');
}

/** Runs a session of either binding. Outputs named in `into` end up there even where the binding ignores given tensors (web). */
export async function runSession(
  session: OrtSession,
  OrtTensor: OrtTensors,
  inputs: Feeds,
  options: { outputs?: readonly string[]; into?: Feeds },
): Promise<Record<string, Tensor>> {
  const feeds: Record<string, OrtTensor> = {};
  for (const [name, t] of Object.entries(inputs)) feeds[name] = new OrtTensor(t.dtype, t.data, t.shape);
  const fetches: Record<string, OrtTensor | null> = {};
  for (const name of options.outputs ?? session.outputNames) fetches[name] = null;
  const results = await session.run(feeds, fetches);
  const out: Record<string, Tensor> = {};
  for (const [name, t] of Object.entries(results)) {
    const given = options.into?.[name];
    if (given) {
      if (given.data.length !== t.data.length)
        throw new RangeError(`The tensor given for the output ${name} has ${given.data.length} elements, not ${t.data.length}.`);
      given.data.set(t.data as never);
      out[name] = given;
    } else out[name] = { dtype: t.type as DType, shape: t.dims, data: t.data };
  }
  return out;
}
