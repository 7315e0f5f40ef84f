/**
 * @file Models by their names: a shipped checkpoint, a directory, or `org/name[@revision]` on the Hugging Face hub, run by ONNX Runtime's
 * Node binding unless another runtime is given. The models themselves are opened from `ModelFiles`, without Node.
 */
import type { ResolveOptions } from '../checkpoints/hub/hub.ts';
import { diskFiles } from '../node/disk-files.ts';
import { freeMemory } from '../node/machine.ts';
import { nodeRuntime } from '../runtime/node.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { findModel } from './bundled.ts';
import { CLIPModel as CLIPFromFiles } from './clip/model.ts';
import type { DualEncoderModel } from './dual-encoder-model.ts';
import type { LlavaOpenOptions } from './llava/load.ts';
import { LlavaModel as LlavaFromFiles } from './llava/model.ts';
import { LlavaMiniModel as LlavaMiniFromFiles } from './llava-mini/model.ts';
import { openModel } from './load.ts';
import type { OpenOptions } from './load-parts.ts';
import { SiglipModel as SiglipFromFiles } from './siglip/model.ts';

/** How a checkpoint is found and run. */
export interface LoadOptions extends ResolveOptions, Pick<OpenOptions, 'keepSessions'> {
  /** ONNX Runtime in this thread by default. */
  readonly runtime?: Runtime;
}

/** How a LLaVA is found and run. `availableMemory`: what is free by default. */
export interface LlavaOptions extends LoadOptions, Pick<LlavaOpenOptions, 'tap' | 'availableMemory' | 'prepack'> {}

/** A model's directory and what it is called (see `findModel`). */
export interface FoundModel {
  readonly directory: string;
  readonly name: string;
}

/** What `fromFiles` is given for options of Node's: a runtime that the model releases where it is not the caller's. */
export function bound<O extends LoadOptions>(options: O, name: string): O & OpenOptions {
  const { runtime } = options;
  return { ...options, name, runtime: runtime ?? nodeRuntime(), ownsRuntime: !runtime };
}

/** As `bound`, with the memory that is free. */
export const boundLlava = <O extends LlavaOptions>(options: O, name: string): O & LlavaOpenOptions => ({
  ...bound(options, name),
  availableMemory: options.availableMemory ?? freeMemory(),
});

/**
 * Loads a checkpoint in Hugging Face's format: CLIP, SigLIP, or SigLIP 2 of fixed resolution. (For a LLaVA see generation/open-llava.ts.)
 * @param reference a shipped model's name, a directory, or `org/name[@revision]`
 * @throws NarrowsError for another model_type, missing or mis-shaped tensors, only pickled weights
 * @example
 * await using model = await loadModel('scene-clip'); // or a directory, or 'openai/clip-vit-base-patch32'
 * const { pixelValues } = model.processor.process(await decodeImage('examples/scene.png'));
 * const features = await model.imageFeatures(stackImages([pixelValues])); // [1, 128]
 * console.log(features.shape, model.image.layers);
 */
export async function loadModel(reference: string, options: LoadOptions = {}): Promise<DualEncoderModel> {
  const { directory, name } = await findModel(reference, options);
  return openModel(diskFiles(directory), bound(options, name));
}

/** CLIP. `instanceof` holds for every CLIP, however it was opened. */
export class CLIPModel extends CLIPFromFiles {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof CLIPFromFiles;
  }

  /**
   * Loads a checkpoint in Hugging Face's format. @param reference a shipped model's name, a directory, or `org/name[@revision]`.
   * @throws NarrowsError for a directory without config, another `model_type`, missing or mis-shaped tensors, only pickled weights.
   */
  static async fromPretrained(reference: string, options: LoadOptions = {}): Promise<CLIPFromFiles> {
    return CLIPModel.open(await findModel(reference, options), options);
  }

  /** Loads a checkpoint that was found already; throws as `fromPretrained` does. */
  static open({ directory, name }: FoundModel, options: LoadOptions = {}): Promise<CLIPFromFiles> {
    return CLIPFromFiles.fromFiles(diskFiles(directory), bound(options, name));
  }
}

/** SigLIP and fixed-resolution SigLIP 2. `instanceof` holds for every one, however it was opened. */
export class SiglipModel extends SiglipFromFiles {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof SiglipFromFiles;
  }

  /**
   * Loads a checkpoint in Hugging Face's format. @param reference a directory, or `org/name[@revision]`.
   * @throws NarrowsError for a directory without config, another `model_type`, missing or mis-shaped tensors, only pickled weights.
   */
  static async fromPretrained(reference: string, options: LoadOptions = {}): Promise<SiglipFromFiles> {
    return SiglipModel.open(await findModel(reference, options), options);
  }

  /** Loads a checkpoint that was found already; throws as `fromPretrained` does. */
  static open({ directory, name }: FoundModel, options: LoadOptions = {}): Promise<SiglipFromFiles> {
    return SiglipFromFiles.fromFiles(diskFiles(directory), bound(options, name));
  }
}

/** LLaVA. `instanceof` holds for every one, however it was opened. */
export class LlavaModel extends LlavaFromFiles {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof LlavaFromFiles;
  }

  /**
   * Loads a checkpoint in Hugging Face's format. @param reference a shipped model's name, a directory, or `org/name[@revision]`.
   * @throws NarrowsError as `loadLlava` says
   */
  static async fromPretrained(reference: string, options: LlavaOptions = {}): Promise<LlavaFromFiles> {
    return LlavaModel.open(await findModel(reference, options), options);
  }

  /** Loads a checkpoint that was found already; throws as `fromFiles` does, or where it does not fit into memory. */
  static open({ directory, name }: FoundModel, options: LlavaOptions = {}): Promise<LlavaFromFiles> {
    return LlavaFromFiles.fromFiles(diskFiles(directory), boundLlava(options, name));
  }
}

/** LLaVA-Mini. `instanceof` holds for every one, however it was opened. */
export class LlavaMiniModel extends LlavaMiniFromFiles {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof LlavaMiniFromFiles;
  }

  /** @param reference a directory, or `org/name[@revision]`; throws as `fromFiles` does, or where it does not fit into memory */
  static async fromPretrained(reference: string, options: LlavaOptions = {}): Promise<LlavaMiniFromFiles> {
    return LlavaMiniModel.open(await findModel(reference, options), options);
  }

  /** Loads a checkpoint that was found already; throws as `fromPretrained` does. */
  static open({ directory, name }: FoundModel, options: LlavaOptions = {}): Promise<LlavaMiniFromFiles> {
    return LlavaMiniFromFiles.fromFiles(diskFiles(directory), boundLlava(options, name));
  }
}
