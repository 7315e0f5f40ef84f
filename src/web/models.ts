/** @file Models in a page, from wherever their files come. */
import { readConfigFrom } from '../checkpoints/config.ts';
import type { ChatModel, ChatSettings } from '../generation/chat-model.ts';
import type { DualEncoderModel } from '../models/dual-encoder-model.ts';
import type { OpenOptions } from '../models/load-parts.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type FileOptions, openFiles, type Place } from './files/open-files.ts';
import { webRuntime } from './runtime.ts';

/** How a model is found and run. */
export interface LoadOptions extends FileOptions, Pick<OpenOptions, 'name' | 'keepSessions'> {
  /** One thread of WebAssembly by default. */
  readonly runtime?: Runtime;
}

/** How a LLaVA is found and run. */
export interface ChatLoadOptions extends Omit<LoadOptions, 'keepSessions'>, ChatSettings {
  /** Takes the place of the α that the checkpoint's bottleneck names for inference. */
  readonly alpha?: number;
}

/** Files and runtime of a model; a runtime that was not given is the model's own. */
async function opened<O extends LoadOptions | ChatLoadOptions>(place: Place, options: O) {
  const files = await openFiles(place, options);
  const runtime = options.runtime ?? (await webRuntime({ onWarning: options.onWarning }));
  const { onWarning } = options;
  return { files, open: { runtime, ownsRuntime: !options.runtime, name: options.name ?? files.name, onWarning } };
}

/**
 * Loads a checkpoint in Hugging Face's format: CLIP, SigLIP, or SigLIP 2 of fixed resolution.
 * @param place an address of the folder, `org/name[@revision]` on the hub, files that a person chose (a `FileList`), or `ModelFiles`
 * @throws NarrowsError in one sentence for files that cannot be had, another model_type, missing or mis-shaped tensors, only pickled weights
 */
export async function loadModel(place: Place, options: LoadOptions = {}): Promise<DualEncoderModel> {
  const { files, open } = await opened(place, options);
  const settings = { ...open, keepSessions: options.keepSessions };
  // Most are CLIPs, and need nothing of the others.
  if ((await readConfigFrom(files)).model_type === 'clip')
    return (await import('../models/clip/model.ts')).CLIPModel.fromFiles(files, settings);
  return (await import('../models/load.ts')).openModel(files, settings);
}

/**
 * Loads a LLaVA with all that turns a conversation into tokens and back; its bottleneck, where it has one, is in place.
 * @param place as for `loadModel`
 * @throws NarrowsError as `loadModel`; for a checkpoint without a usable tokenizer, or whose template nothing names
 */
export async function loadChat(place: Place, options: ChatLoadOptions = {}): Promise<ChatModel> {
  const { files, open } = await opened(place, options);
  const [{ ChatModel }, { openLlavaFrom }] = await Promise.all([
    import('../generation/chat-model.ts'),
    import('../generation/open-llava-files.ts'),
  ]);
  return ChatModel.from(await openLlavaFrom(files, { ...open, alpha: options.alpha }), options);
}
