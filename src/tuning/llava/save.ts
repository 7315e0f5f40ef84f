/** @file Writes a LLaVA that LlavaForConditionalGeneration.from_pretrained of transformers and Narrows open. */

import { saveCheckpoint } from '../../checkpoints/save.ts';
import type { NamedTensors } from '../../checkpoints/write.ts';
import type { Naming } from '../../models/llava/family.ts';
import { type LlavaLayout, storedName } from '../../models/llava/layout.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { SideFile } from '../clip/source.ts';

/** What is saved with the weights. */
export interface LlavaFiles {
  /** config.json, keys verbatim; `bottleneck_config` included where there is one. */
  readonly config: object;
  /** Texts by file name: tokenizer, processor, chat template, training_args.json. */
  readonly files: ReadonlyMap<string, SideFile>;
  /** How tensors are named in the files; `old` is what every version of transformers reads. */
  readonly layout?: LlavaLayout;
  /** Of a family whose tensors have other names than LLaVA's. */
  readonly naming?: Naming;
}

/** @param tensors by their names in memory. @throws NarrowsError when a file cannot be written */
export async function saveLlava(directory: string, tensors: Iterable<readonly [string, Tensor]>, options: LlavaFiles): Promise<void> {
  for (const [name, content] of options.files) await writeFileAtomic(join(directory, name), content);
  const stored: NamedTensors = [...tensors].map(
    ([name, tensor]) => [storedName(name, options.layout ?? 'old', options.naming), tensor] as const,
  );
  await saveCheckpoint(directory, stored, { config: options.config });
}
