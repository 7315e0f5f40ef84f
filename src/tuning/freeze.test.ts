import { describe, expect, it } from 'vitest';
import { NarrowsError } from '../system/errors.ts';
import { namePattern, trainableNames } from './freeze.ts';

const NAMES = [
  'model.vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight',
  'model.multi_modal_projector.linear_1.weight',
  'model.language_model.layers.1.mlp.up_proj.weight',
  'model.language_model.layers.11.mlp.up_proj.weight',
  'lm_head.weight',
];

describe('freezing by pattern', () => {
  it.each<[string[], number[]]>([
    [[], [0, 1, 2, 3, 4]],
    [['model.vision_tower.*'], [1, 2, 3, 4]],
    [
      ['lm_head.weight', '*.layers.1.*'],
      [0, 1, 3],
    ],
    [['/layers\\.\\d+\\.mlp\\.up/'], [0, 1, 4]],
    [
      ['/^lm_head/', '/language_model\\.layers\\.(1|3)\\./'],
      [0, 1, 3],
    ],
    [['*'], []],
  ])('%j', (patterns, left) => {
    expect(trainableNames(NAMES, patterns)).toEqual(left.map(i => NAMES[i]));
  });

  it('matches whole names, and takes dots as dots', () => {
    expect(namePattern('lm_head')('lm_head.weight')).toBe(false);
    expect(namePattern('lm.head.weight')('lm_head.weight')).toBe(false);
    expect(namePattern('a(b)*')('a(b)c')).toBe(true);
  });

  it('is refused in one sentence where a pattern matches nothing, or is none', () => {
    expect(() => trainableNames(NAMES, ['lm_head.*', 'model.vision.*'])).toThrow(NarrowsError);
    expect(() => trainableNames(NAMES, ['lm_head.*', 'model.vision.*'])).toThrow(
      `"freeze" has the pattern "model.vision.*", which no tensor of the model matches (such as ${NAMES[0]}).`,
    );
    expect(() => trainableNames(NAMES, ['/(/'])).toThrow(
      'The pattern "/(/" is no regular expression; without slashes, * stands for any text.',
    );
  });
});
