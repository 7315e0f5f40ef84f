/** @file Opens a source of samples by its specification. */
import { openCoco } from './coco.ts';
import { openJsonl } from './jsonl.ts';
import type { DataSpec, SampleSource } from './sample.ts';
import { openScenes } from './scenes.ts';

/** @throws NarrowsError for a file that cannot be read or says something impossible */
export function openSource(spec: DataSpec): Promise<SampleSource> {
  if (spec.kind === 'scenes') return openScenes(spec);
  return spec.kind === 'coco' ? openCoco(spec) : openJsonl(spec);
}
