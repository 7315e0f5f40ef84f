/** @file Directories that are no models are recognised by their files; one with a config.json is left to its reader. */
import { expect, it } from 'vitest';
import { foreignLayout } from './foreign.ts';

const said = (names: string[], text?: string): string | undefined => foreignLayout('DIR', names, () => text)?.message;

it('knows adapters, with their base where they name it', () => {
  expect(said(['adapter_config.json', 'adapter_model.safetensors'], '{"base_model_name_or_path": "org/base"}')).toContain(
    'DIR is a LoRA adapter of org/base and no model',
  );
  for (const text of ['{', '{}', '[]', undefined])
    expect(said(['adapter_config.json'], text)).toContain('DIR is a LoRA adapter and no model; merge it into its base model');
});

it("knows OpenCLIP's layout, and sends nobody to a class that cannot open it", () => {
  for (const names of [['open_clip_config.json', 'open_clip_pytorch_model.bin'], ['open_clip_model.safetensors']]) {
    expect(said(names)).toContain(`is an OpenCLIP checkpoint (${names[0]})`);
    expect(said(names)).not.toContain('AutoModel');
  }
});

it('leaves models unchanged, whatever lies next to them', () => {
  expect(said(['config.json', 'open_clip_config.json', 'model.safetensors'])).toBeUndefined();
  expect(said(['config.json', 'adapter_config.json'])).toBeUndefined();
  expect(said(['readme.md'])).toBeUndefined();
});
