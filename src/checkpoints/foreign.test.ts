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

it('knows OpenCLIP weights that lack their config, and leaves those that have it to their reader', () => {
  expect(said(['open_clip_model.safetensors'])).toContain(
    'holds OpenCLIP weights (open_clip_model.safetensors) without the open_clip_config.json',
  );
  expect(said(['open_clip_config.json', 'open_clip_pytorch_model.bin'])).toBeUndefined();
});

it('leaves models unchanged, whatever lies next to them', () => {
  expect(said(['config.json', 'open_clip_config.json', 'model.safetensors'])).toBeUndefined();
  expect(said(['config.json', 'adapter_config.json'])).toBeUndefined();
  expect(said(['readme.md'])).toBeUndefined();
});
