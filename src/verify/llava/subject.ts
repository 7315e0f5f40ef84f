/** @file A LLaVA that is verified: it runs through its bottleneck where it has one. */

import type { StoredBottleneck } from '../../bottleneck/gaussian/llava.ts';
import { type BottleneckLlavaOptions, openBottleneckLlava, readBottleneck } from '../../bottleneck/gaussian/pretrained.ts';
import { checkpointHash } from '../../checkpoints/hash.ts';
import type { LlavaModel } from '../../models/llava/model.ts';
import type { FoundModel } from '../../models/pretrained.ts';
import type { VerifiedModel } from '../checker.ts';

/** A loaded LLaVA with what checkers ask of it. */
export interface LlavaSubject extends VerifiedModel {
  readonly llava: LlavaModel;
  /** The checkpoint's own bottleneck. */
  readonly bottleneck?: StoredBottleneck;
  /** A file of bottleneck weights from which training began, given by the user. */
  readonly startPath?: string;
}

/** @throws NarrowsError as `openBottleneckLlava` */
export async function openSubject(
  found: FoundModel,
  options: BottleneckLlavaOptions & { readonly startPath?: string } = {},
): Promise<LlavaSubject> {
  const { startPath, ...rest } = options;
  const llava = await openBottleneckLlava(found, rest);
  const { name, runtime, checkpoint } = llava.parts;
  const bottleneck = await readBottleneck(found.directory);
  return { name, runtime, llava, bottleneck, startPath, sha256: () => checkpointHash(checkpoint) };
}
