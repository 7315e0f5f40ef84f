import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ints, tensor } from '../../tensor/tensor.ts';
import { CLIPModel } from '../pretrained.ts';
import { parseCLIPConfig } from './config.ts';
import { eosPositions } from './text.ts';

const config = (eos: number | null) => parseCLIPConfig({ model_type: 'clip', text_config: { eos_token_id: eos } }).text_config;

// transformers 4.57 modeling_clip.py, CLIPTextTransformer.forward: argmax of the ids for eos_token_id 2, else of (ids == eos).
describe('eosPositions', () => {
  it.each<[string, number | null, number[], number]>([
    ['the first of the end token', 9, [5, 9, 3, 9], 1],
    ['even where the padding is larger', 9, [5, 9, 30, 30], 1],
    ['position 0 without an end token', 9, [5, 6, 7, 8], 0],
    ['the old rule: the largest id', 2, [5, 2, 30, 7], 2],
    ['the old rule: the first of the largest ids', 2, [5, 30, 30, 7], 1],
    ['position 0 where the config has none', null, [5, 9, 3, 9], 0],
  ])('%s', (_, eos, ids, position) => {
    expect(eosPositions(config(eos), ints([1, 4], ids))).toEqual(ints([1], [position]));
  });

  it('looks at each row for itself, in either type of integers', () => {
    const ids = [5, 9, 3, 9, 9, 1, 1, 1, 4, 4, 4, 9];
    expect(eosPositions(config(9), ints([3, 4], ids))).toEqual(ints([3], [1, 0, 3]));
    expect(eosPositions(config(9), tensor('int64', [3, 4], BigInt64Array.from(ids, BigInt)))).toEqual(ints([3], [1, 0, 3]));
  });
});

describe('textInputs', () => {
  let model: CLIPModel;
  beforeAll(async () => {
    model = await CLIPModel.fromPretrained(fileURLToPath(new URL('../testdata/clip-tiny', import.meta.url)));
  });
  afterAll(() => model.release());

  it('leaves out a mask that masks nothing', () => {
    expect(Object.keys(model.textInputs(ints([1, 3], [94, 5, 95]), ints([1, 3], [1, 1, 1])))).toEqual(['input_ids', 'eos']);
    expect(model.textInputs(ints([1, 3], [94, 95, 95]), ints([1, 3], [1, 1, 0])).attention_mask).toEqual(ints([1, 3], [1, 1, 0]));
  });

  it('takes int64 ids as Python writes them', () => {
    const { input_ids, eos } = model.textInputs(tensor('int64', [1, 3], BigInt64Array.of(94n, 5n, 95n)));
    expect([input_ids, eos]).toEqual([ints([1, 3], [94, 5, 95]), ints([1], [2])]);
  });

  it.each([
    [96, "The token id 96 is outside of clip-tiny's vocabulary of 96; the tokenizer belongs to another model."],
    [-1, "The token id -1 is outside of clip-tiny's vocabulary of 96; the tokenizer belongs to another model."],
  ])('refuses the id %s', (id, message) => {
    expect(() => model.textInputs(ints([1, 2], [94, id]))).toThrow(message);
  });

  it('refuses more tokens than there are positions', () => {
    expect(() => model.textInputs(ints([1, 17], new Int32Array(17)))).toThrow(
      'A text of 17 tokens is longer than the 16 that clip-tiny takes; shorten it.',
    );
  });

  it('says so when a text is given to a model without tokenizer', () => {
    expect(() => model.requireTokenizer()).toThrow(/tokenizer/);
  });
});
