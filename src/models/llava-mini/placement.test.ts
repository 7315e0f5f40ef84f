import { describe, expect, it } from 'vitest';
import { ints, type Tensor } from '../../tensor/tensor.ts';
import { parseLlavaMiniConfig } from './config.ts';
import { expandMiniTokens, instructionOf, placeMini } from './placement.ts';

const config = parseLlavaMiniConfig({
  model_type: 'llava_mini',
  compressor_size: 2,
  image_token_index: 9,
  text_config: { vocab_size: 10, hidden_size: 8, num_attention_heads: 2 },
  vision_config: { model_type: 'clip_vision_model', hidden_size: 8, num_attention_heads: 1, image_size: 8, patch_size: 2 },
});
const numbers = ({ data }: Tensor): number[] => Array.from(data as Int32Array, Number);

describe('placeMini', () => {
  // Two images around words, an answer, padding; a text alone; padding in front, one image.
  const ids = ints(
    [3, 14],
    [
      ...[1, 9, 9, 9, 9, 3, 9, 9, 9, 9, 4, 5, 6, 0],
      ...[1, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 1, 9, 9, 9, 9, 3, 7, 8, 4, 2],
    ],
  );
  const attentionMask = ints(
    [3, 14],
    [
      ...[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0],
      ...[1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    ],
  );
  const labels = ints(
    [3, 14],
    [
      ...[-100, -100, -100, -100, -100, -100, -100, -100, -100, -100, -100, 5, 6, -100],
      ...[-100, -100, 4, 5, -100, -100, -100, -100, -100, -100, -100, -100, -100, -100],
      // an answer between two instructions
      ...[-100, -100, -100, -100, -100, -100, -100, -100, -100, -100, 7, 8, -100, 2],
    ],
  );

  it('fuses the words of instructions that have an image', () => {
    const placed = placeMini(config, ids, 3, { attentionMask, instruction: instructionOf(labels) });
    expect(numbers(placed.fused)).toEqual([
      ...[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0],
      ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0],
    ]);
    expect(numbers(placed.fusedPositions)).toEqual([
      ...[0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3],
      ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 3],
    ]);
    expect(numbers(placed.owners)).toEqual([0, 0, 2]);
    expect([...placed.shares.data]).toEqual([0.5, 0.5, 0, 0, 0, 0, 0, 0, 1]);
    expect(placed.imageRows.shape).toEqual([3, 14]);
    expect(numbers(placed.imageRows).slice(28, 38)).toEqual([0, 0, 0, 0, 0, 8, 9, 10, 11, 0]);
  });

  it('takes everything for an instruction by default', () => {
    const placed = placeMini(config, ints([1, 7], [1, 9, 9, 9, 9, 3, 4]), 1);
    expect(numbers(placed.fused)).toEqual([1, 0, 0, 0, 0, 1, 1]);
  });

  it('refuses images that do not fit and masks of another size', () => {
    expect(() => placeMini(config, ints([1, 6], [1, 9, 9, 9, 9, 3]), 2)).toThrow('The text has 1 <image> token, but 2 images were given');
    expect(() => placeMini(config, ints([1, 4], [1, 9, 9, 3]), 1)).toThrow('no multiple of the 4 that one image takes');
    expect(() => placeMini(config, ids, 3, { attentionMask, instruction: ints([1, 2], [1, 1]) })).toThrow(
      'The instruction mask has 2 entries, but input_ids has 42.',
    );
  });

  it('takes C² tokens for an image', () => {
    expect(expandMiniTokens(config, [1, 9, 3])).toEqual([1, 9, 9, 9, 9, 3]);
  });
});
