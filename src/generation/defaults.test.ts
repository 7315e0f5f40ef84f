import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { diskFiles } from '../node/disk-files.ts';
import { defaultsOf, readGenerationDefaultsFrom } from './defaults.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'generation-'));
});
afterAll(() => rm(folder, { recursive: true }));
const read = async (json: object, eos?: number) => {
  await writeFile(join(folder, 'generation_config.json'), JSON.stringify(json));
  return (await readGenerationDefaultsFrom(diskFiles(folder), eos)).defaults;
};

it('falls back to the config of the model where there is no generation_config.json', async () => {
  expect(await readGenerationDefaultsFrom(diskFiles(join(folder, 'none')), [2, 5])).toEqual({
    defaults: { eosTokens: [2, 5] },
    warnings: [],
  });
  expect(await readGenerationDefaultsFrom(diskFiles(folder))).toEqual({ defaults: { eosTokens: [] }, warnings: [] });
});

it('reads what transformers would use', async () => {
  expect(await read({ bos_token_id: 1, eos_token_id: 2, pad_token_id: 0 }, 7)).toEqual({ eosTokens: [2] });
  expect(await read({ temperature: 0.9, top_p: 0.6 }, 7)).toEqual({ eosTokens: [7] });
  expect(await read({ do_sample: true, temperature: 0.7, top_k: 20, top_p: 0.8, repetition_penalty: 1.05, eos_token_id: [4, 3] })).toEqual({
    eosTokens: [4, 3],
    temperature: 0.7,
    topK: 20,
    topP: 0.8,
    repetitionPenalty: 1.05,
  });
  expect(await read({ do_sample: true, max_new_tokens: 9 })).toEqual({ eosTokens: [], temperature: 1, topK: 50, topP: 1, maxNewTokens: 9 });
  expect(await read({ do_sample: true, top_k: 0 })).toEqual({ eosTokens: [], temperature: 1, topP: 1 });
  await expect(read({ eos_token_id: 'x' })).rejects.toThrow(/generation_config.json: the key "eos_token_id" is wrong/);
});

it('reads rules on tokens and beam search', async () => {
  const rules = {
    ...{
      no_repeat_ngram_size: 3,
      min_new_tokens: 2,
      min_length: 9,
      bad_words_ids: [[3, 4], [5]],
      suppress_tokens: [7],
      begin_suppress_tokens: [8],
    },
    ...{ stop_strings: '###', num_beams: 4, length_penalty: 0, early_stopping: 'never' },
  };
  expect(await read(rules)).toEqual({
    ...{ eosTokens: [], noRepeatNgramSize: 3, minNewTokens: 2, minLength: 9, badWordsIds: [[3, 4], [5]], suppressTokens: [7] },
    ...{ beginSuppressTokens: [8], stop: ['###'], numBeams: 4, lengthPenalty: 0, earlyStopping: 'never' },
  });
  expect(await read({ do_sample: true, min_p: 0.1, top_k: 0 })).toEqual({ eosTokens: [], temperature: 1, topP: 1, minP: 0.1 });
  await expect(read({ bad_words_ids: [[]] })).rejects.toThrow(/the key "bad_words_ids.0" is wrong/);
  await expect(read({ early_stopping: 'soon' })).rejects.toThrow(/the key "early_stopping" is wrong/);
});

it('names what it passes over once, and nothing that changes nothing', () => {
  const passed = { typical_p: 0.9, guidance_scale: 1.5, forced_eos_token_id: 2, renormalize_logits: true };
  expect(defaultsOf(passed, 'g.json').warnings).toEqual([
    'g.json: typical_p, guidance_scale, forced_eos_token_id, renormalize_logits are not supported and ignored; answers may differ from those of transformers.',
  ]);
  const neutral = {
    typical_p: 1,
    guidance_scale: 1,
    num_beam_groups: 1,
    diversity_penalty: 0,
    renormalize_logits: false,
    sequence_bias: null,
  };
  expect(
    defaultsOf({ ...neutral, use_cache: true, pad_token_id: 0, _from_model_config: true, cache_implementation: 'static' }, 'g.json')
      .warnings,
  ).toEqual([]);
  const both = defaultsOf({ do_sample: true, num_beams: 3 }, 'g.json');
  expect(both.warnings).toEqual([
    'g.json: num_beams 3 is ignored, since do_sample draws tokens; for beam search give a temperature of 0 with it.',
  ]);
  expect(both.defaults.numBeams).toBeUndefined();
  expect([defaultsOf({ max_length: 40 }, 'g').maxLength, defaultsOf({ max_length: 40, max_new_tokens: 5 }, 'g').maxLength]).toEqual([
    40,
    undefined,
  ]);
});
