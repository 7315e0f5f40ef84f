import { expect, it } from 'vitest';
import type { TokenizerConfig, TokenizerJson } from '../../inputs/text/tokenizer-files.ts';
import type { CLIPTextConfig } from '../../models/clip/config.ts';
import { sceneTokenizerJson } from '../../scenes/vocabulary.ts';
import { PairReader } from './pair-batch.ts';

it('patches are the squares of the picture, channel by channel, row by row', () => {
  const files = sceneTokenizerJson();
  const reader = new PairReader({
    ...{ preprocessor: { image_processor_type: 'CLIPImageProcessor' }, imageSize: 7, patchSize: 2, maxLength: 8 },
    tokenizer: { json: files['tokenizer.json'] as TokenizerJson, config: files['tokenizer_config.json'] as TokenizerConfig },
    textConfig: {} as CLIPTextConfig,
  });
  // Every value is its place: 49 per channel, 7 per row, of which the last one belongs to no patch.
  const pixels = Float32Array.from({ length: 3 * 49 }, (_, i) => i);
  const out = new Float32Array(30).fill(-1);
  // Patch 5 of 3 x 3 is the last one of the second row: rows 2 and 3, columns 4 and 5. Patch 6 is the first one of the third row.
  reader.patches(pixels, [5, 6], out, 3);
  const square = (corner: number): number[] => [0, 49, 98].flatMap(c => [corner, corner + 1, corner + 7, corner + 8].map(at => c + at));
  expect([...out]).toEqual([-1, -1, -1, ...square(2 * 7 + 4), ...square(4 * 7), -1, -1, -1]);
});
