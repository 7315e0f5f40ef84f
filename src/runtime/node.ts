/** @file ONNX Runtime's Node binding. `run` blocks its thread while an op graph executes; servers use worker.ts. */
import * as ort from '../node/onnxruntime.ts';
import { checkWeightFiles, noteWeightFiles } from '../node/weight-guard.ts';
import { type Device, deviceError, deviceFacts, deviceOf } from './device.ts';
import { mappedWeights } from './mapped-weights.ts';
import { OrtExecutable, type OrtSession, type OrtTensors, sizesOk } from './ort.ts';
import { type CompileOptions, checkThreads, type Runtime } from './runtime.ts';

/** What holds for every session of a runtime that does not say otherwise. */
export interface NodeRuntimeOptions {
  readonly threads?: number;
  /** On what graphs run; the environment's NARROWS_DEVICE, or the processor, by default. What a device cannot compute runs on the processor. */
  readonly device?: Device;
}

/**
 * ONNX Runtime in this thread. `compile` throws a NarrowsError where the device cannot be used here.
 * @throws NarrowsError (usage) for a number of threads that is none, or an unknown device
 */
export function nodeRuntime(defaults: NodeRuntimeOptions = {}): Runtime {
  checkThreads(defaults.threads ?? 0);
  const device = deviceOf(defaults.device ?? process.env.NARROWS_DEVICE);
  return {
    name: device === 'cpu' ? 'onnxruntime-node' : `onnxruntime-node (${device})`,
    version: ort.env.versions.node ?? ort.env.versions.common,
    placeWeights: mappedWeights,
    ...deviceFacts(device),
    async compile(model, options: CompileOptions = {}) {
      sizesOk(model);
      const { weightFiles = [] } = options;
      checkWeightFiles(weightFiles);
      noteWeightFiles(weightFiles);
      const session = await ort.InferenceSession.create(model, {
        executionProviders: [device],
        graphOptimizationLevel: 'all',
        intraOpNumThreads: checkThreads(options.threads ?? defaults.threads ?? 0),
        interOpNumThreads: 1,
        enableMemPattern: options.memoryPlan !== false,
        // Errors are thrown; printing them too would mix with what the program prints.
        logSeverityLevel: 4,
        ...(options.profile ? { enableProfiling: true, profileFilePrefix: options.profile } : {}),
        extra: {
          session: {
            ...(options.externalFolder ? { model_external_initializers_file_folder_path: options.externalFolder } : {}),
            disable_prepacking: options.prepack === false ? '1' : '0',
            intra_op: { allow_spinning: process.env.NARROWS_SPIN === '0' ? '0' : '1' },
          },
        },
      } as ort.InferenceSession.SessionOptions).catch(error => {
        throw deviceError(error, device);
      });
      return new OrtExecutable(session as unknown as OrtSession, ort.Tensor as unknown as OrtTensors, () => checkWeightFiles(weightFiles));
    },
    async release() {},
  };
}
