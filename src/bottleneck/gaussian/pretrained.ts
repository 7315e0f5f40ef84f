/** @file LLaVAs with a bottleneck by their names and directories: Node's way into llava.ts. */
import { findModel } from '../../models/bundled.ts';
import type { LlavaModel } from '../../models/llava/model.ts';
import { boundLlava, type FoundModel, type LlavaOptions } from '../../models/pretrained.ts';
import { diskFiles } from '../../node/disk-files.ts';
import { basename, dirname } from '../../node/paths.ts';
import { type BottleneckOpenOptions, bottleneckLlavaFrom, readBottleneckFrom, type StoredBottleneck } from './llava.ts';

/** How a LLaVA with a bottleneck is found and run. */
export interface BottleneckLlavaOptions extends Omit<LlavaOptions, 'tap'>, Pick<BottleneckOpenOptions, 'alpha'> {}

/**
 * `readBottleneckFrom` of a checkpoint's directory; throws as it does.
 * @param file path of its weights; `bottleneck.safetensors` of the directory by default
 */
export const readBottleneck = (directory: string, file?: string): Promise<StoredBottleneck | undefined> =>
  readBottleneckFrom(diskFiles(directory), file === undefined ? undefined : { files: diskFiles(dirname(file)), file: basename(file) });

/** `bottleneckLlavaFrom` of a model that was found already; throws as it does, or where the model does not fit into memory. */
export const openBottleneckLlava = ({ directory, name }: FoundModel, options: BottleneckLlavaOptions = {}): Promise<LlavaModel> =>
  bottleneckLlavaFrom(diskFiles(directory), boundLlava(options, name));

/** As `openBottleneckLlava`. @param reference a shipped model's name, a directory, or `org/name[@revision]` */
export async function loadBottleneckLlava(reference: string, options: BottleneckLlavaOptions = {}): Promise<LlavaModel> {
  return openBottleneckLlava(await findModel(reference, options), options);
}
