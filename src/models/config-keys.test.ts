/** @file What changes a computation and is not computed is refused or named. */
import { describe, expect, it } from 'vitest';
import { checkConfigKeys } from './config-keys.ts';

describe('checkConfigKeys', () => {
  it.each([
    [{ quantization_config: { quant_method: 'gptq' } }, 'c.json: quantization_config says that the weights are quantised (gptq)'],
    [
      { text_config: { quantization_config: { load_in_4bit: true } } },
      'text_config.quantization_config says that the weights are quantised (bitsandbytes)',
    ],
  ])('refuses %j', (json, message) => {
    expect(() => checkConfigKeys(json, 'c.json')).toThrow(message);
  });
  it("names code of the checkpoint's own and a section of another kind", () => {
    const sections = { text_config: ['clip_text_model'], vision_config: ['clip_vision_model'] };
    const json = {
      model_type: 'clip',
      auto_map: { AutoModel: 'modeling_x.XModel' },
      text_config: { model_type: 'xlm-roberta' },
      vision_config: { model_type: 'clip_vision_model' },
    };
    const warnings = checkConfigKeys(json, 'c.json', sections);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('modeling_x.XModel');
    expect(warnings[1]).toContain('text_config.model_type is "xlm-roberta"; it is computed as clip_text_model');
    expect(
      checkConfigKeys({ model_type: 'clip', quantization_config: null, text_config: {}, vision_config: null }, 'c.json', sections),
    ).toEqual([]);
  });
});
