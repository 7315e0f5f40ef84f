import { describe, expect, it } from 'vitest';
import type { Tower } from '../models/dual-encoder.ts';
import { NarrowsError } from '../system/errors.ts';
import { resolveLayer } from './layer.ts';

/** Only what is looked at. */
const tower = (layers: number, modality: 'image' | 'text' = 'image', pooling: Tower['pooling'] = 'token'): Tower =>
  ({ modality, layers, pooling }) as Tower;

describe('resolveLayer', () => {
  it('is block 9 of 12 by default, two blocks from the end elsewhere, and always one that can be chosen', () => {
    expect(resolveLayer('auto', tower(12))).toBe(9);
    expect([24, 6, 4, 3, 2, 1].map(layers => resolveLayer('auto', tower(layers)))).toEqual([21, 3, 1, 0, 0, -1]);
    for (let layers = 1; layers < 30; layers++) {
      const auto = resolveLayer('auto', tower(layers));
      expect(resolveLayer(auto, tower(layers))).toBe(auto);
    }
  });

  it('takes the embeddings and every block but the last', () => {
    for (let layer = -1; layer <= 10; layer++) expect(resolveLayer(layer, tower(12))).toBe(layer);
  });

  it.each([-2, 11, 12, 1.5, Number.NaN])('refuses %d with the range', layer => {
    let thrown: unknown;
    try {
      resolveLayer(layer, tower(12, 'text'));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(NarrowsError);
    expect(thrown).toMatchObject({
      kind: 'usage',
      message: `The layer ${layer} is out of range: the text tower has 12 blocks, so a layer from 0 to 10 can be chosen (-1 for the embeddings, or "auto").`,
    });
  });

  it('leaves a tower of one block its embeddings', () => {
    expect(resolveLayer(-1, tower(1))).toBe(-1);
    expect(() => resolveLayer(0, tower(1))).toThrow(
      'The layer 0 is out of range: the image tower has a single block (-1 for the embeddings, or "auto").',
    );
  });

  it('takes the last block too where a head pools over all tokens, with the same default', () => {
    const siglip = (layers: number): Tower => tower(layers, 'image', 'attention');
    for (let layer = -1; layer <= 11; layer++) expect(resolveLayer(layer, siglip(12))).toBe(layer);
    expect([12, 3, 2, 1].map(layers => resolveLayer('auto', siglip(layers)))).toEqual([9, 0, 0, 0]);
    expect(() => resolveLayer(12, siglip(12))).toThrow('the image tower has 12 blocks, so a layer from 0 to 11 can be chosen');
  });
});
