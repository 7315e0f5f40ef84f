import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readGenerationDefaults } from './defaults.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'generation-'));
});
afterAll(() => rm(folder, { recursive: true }));
const read = async (json: object, eos?: number) => {
  await writeFile(join(folder, 'generation_config.json'), JSON.stringify(json));
  return readGenerationDefaults(folder, eos);
};

it('falls back to the config of the model where there is no generation_config.json', async () => {
  expect(await readGenerationDefaults(join(folder, 'none'), [2, 5])).toEqual({ eosTokens: [2, 5] });
  expect(await readGenerationDefaults(folder)).toEqual({ eosTokens: [] });
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
