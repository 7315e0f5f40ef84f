/** @file ONNX Runtime's Node binding. `run` blocks its thread while an op graph executes; servers use worker.ts. */
import * as ort from '../node/onnxruntime.ts';
import { checkWeightFiles, noteWeightFiles } from '../node/weight-guard.ts';
import { mappedWeights } from './mapped-weights.ts';
import { OrtExecutable, type OrtSession, type OrtTensors, sizesOk } from './ort.ts';
import { type CompileOptions, checkThreads, type Runtime } from './runtime.ts';

/**
 * ONNX Runtime in this thread. @param defaults threads for every session that does not say otherwise.
 * @throws NarrowsError (usage) for a number of threads that is none
 */
export function nodeRuntime(defaults: { readonly threads?: number } = {}): Runtime {
  checkThreads(defaults.threads ?? 0);
  return {
    name: 'onnxruntime-node',
    version: ort.env.versions.node ?? ort.env.versions.common,
    placeWeights: mappedWeights,
    async compile(model, options: CompileOptions = {}) {
      sizesOk(model);
      const { weightFiles = [] } = options;
      checkWeightFiles(weightFiles);
      noteWeightFiles(weightFiles);
      const session = await ort.InferenceSession.create(model, {
        executionProviders: ['cpu'],
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
      } as ort.InferenceSession.SessionOptions);
      return new OrtExecutable(session as unknown as OrtSession, ort.Tensor as unknown as OrtTensors, () => checkWeightFiles(weightFiles));
    },
    async release() {},
  };
}
