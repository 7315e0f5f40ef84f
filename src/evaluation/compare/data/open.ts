/** @file Opens a source of samples by its specification. */
import { openCoco } from './coco.ts';
import { openJsonl } from './jsonl.ts';
import type { DataSpec, SampleSource } from './sample.ts';
import { openScenes } from './scenes.ts';
import { openTruth } from './truth/open-truth.ts';

/** @throws NarrowsError for a file that cannot be read or says something impossible */
export async function openSource(spec: DataSpec): Promise<SampleSource> {
  const source = await (spec.kind === 'scenes'
    ? openScenes(spec)
    : spec.kind === 'coco'
      ? openCoco(spec)
      : spec.kind === 'truth'
        ? openTruth(spec)
        : openJsonl(spec));
  return {
    ...source,
    async read(index) {
      const sample = await source.read(index);
      return { ...sample, pair: { ...sample.pair, id: sample.id } };
    },
  };
}
