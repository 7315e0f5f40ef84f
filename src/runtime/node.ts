/** @file ONNX Runtime's Node binding. `run` blocks its thread while an op graph executes; servers use worker.ts. */
import * as ort from 'onnxruntime-node';
import type { Tensor } from '../tensor/tensor.ts';
import { type OrtTensors, runSession, sizesOk } from './ort.ts';
import type { CompileOptions, Executable, Feeds, Runtime } from './runtime.ts';

const cleanups = new FinalizationRegistry<ort.InferenceSession>(session => void session.release().catch(() => {}));

class NodeExecutable implements Executable {
  private session: ort.InferenceSession | undefined;
  constructor(session: ort.InferenceSession) {
    this.session = session;
    cleanups.register(this, session, this);
  }

  async run(inputs: Feeds, options: { outputs?: readonly string[]; into?: Feeds } = {}): Promise<Record<string, Tensor>> {
    if (!this.session) throw new Error('This executable is already released; compile it again.');
    return runSession(this.session as never, ort.Tensor as unknown as OrtTensors, inputs, options);
  }

  async release(): Promise<void> {
    const session = this.session;
    this.session = undefined;
    if (!session) return;
    cleanups.unregister(this);
    await session.release();
  }
}

/** ONNX Runtime in this thread. @param defaults threads for every session that does not say otherwise. */
export function nodeRuntime(defaults: { readonly threads?: number } = {}): Runtime {
  return {
    name: 'onnxruntime-node',
    version: ort.env.versions.node ?? ort.env.versions.common,
    async compile(model, options: CompileOptions = {}) {
      sizesOk(model);
      const session = await ort.InferenceSession.create(model, {
        executionProviders: ['cpu'],
        graphOptimizationLevel: 'all',
        intraOpNumThreads: options.threads ?? defaults.threads ?? 0,
        interOpNumThreads: 1,
        logSeverityLevel: 3,
        ...(options.profile ? { enableProfiling: true, profileFilePrefix: options.profile } : {}),
        extra: {
          session: {
            ...(options.externalFolder ? { model_external_initializers_file_folder_path: options.externalFolder } : {}),
            disable_prepacking: options.prepack === false ? '1' : '0',
            intra_op: { allow_spinning: process.env.NARROWS_SPIN === '0' ? '0' : '1' },
          },
        },
      } as ort.InferenceSession.SessionOptions);
      return new NodeExecutable(session);
    },
    async release() {},
  };
}
