/** @file Rules and beam search against transformers' generate, on a random LLaVA. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LlavaPrompt } from '../models/llava/decoding.ts';
import { directoryOf, golden } from '../models/llava/testing/goldens.ts';
import { LlavaModel } from '../models/pretrained.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { type FloatTensor, floats } from '../tensor/tensor.ts';
import { defaultsOf } from './defaults.ts';
import { type GenerationOptions, generate } from './generate.ts';

interface Row {
  readonly prompt: readonly number[];
  readonly image: number | null;
  readonly options: Readonly<Record<string, unknown>>;
  readonly eos: readonly number[];
  readonly ids: readonly number[];
}
const { rows, max_new_tokens: maxNewTokens } = JSON.parse(readFileSync(new URL('./testdata/generation.json', import.meta.url), 'utf8')) as {
  rows: readonly Row[];
  max_new_tokens: number;
};

let model: LlavaModel;
let pixels: FloatTensor;
beforeAll(async () => {
  model = await LlavaModel.fromPretrained(directoryOf('llava-tiny'), { runtime: nodeRuntime({ threads: 1 }) });
  pixels = await (await golden('llava-tiny')).floats('pixel_values');
});
afterAll(() => model.release());

function promptOf({ prompt, image }: Row): LlavaPrompt {
  if (image === null) return { ids: [...prompt] };
  const size = pixels.data.length / pixels.shape[0];
  return { ids: [...prompt], pixelValues: floats([1, ...pixels.shape.slice(1)], pixels.data.slice(image * size, (image + 1) * size)) };
}
/** The golden's options as generation_config.json would have them. */
const optionsOf = ({ options, eos }: Row): GenerationOptions => {
  const { defaults, warnings } = defaultsOf({ ...options, eos_token_id: eos, max_new_tokens: maxNewTokens }, 'test');
  expect(warnings).toEqual([]);
  return defaults;
};

describe('generate under the keys of generation_config.json equals transformers', () => {
  it.each(rows.map(row => [JSON.stringify(row.options), row] as const))('%s', async (_, row) => {
    const [answer] = await generate(model, [promptOf(row)], optionsOf(row));
    expect(answer.ids).toEqual(row.ids);
    expect(answer.finish).toBe(row.eos.includes(row.ids.at(-1) as number) ? 'eos' : 'length');
  });

  it('in batches, too', async () => {
    const kinds = new Map<string, Row[]>();
    for (const row of rows)
      kinds.set(JSON.stringify([row.options, row.eos]), [...(kinds.get(JSON.stringify([row.options, row.eos])) ?? []), row]);
    let batches = 0;
    for (const same of kinds.values()) {
      if (same.length < 2) continue;
      batches++;
      const answers = await generate(model, same.map(promptOf), { ...optionsOf(same[0]), batchSize: 3 });
      expect(answers.map(a => a.ids)).toEqual(same.map(row => row.ids));
    }
    expect(batches).toBeGreaterThan(3);
  });
});
