/** @file Checkpoints: weights, configs, tokenizers, templates, adapters of tiny models, read by the commands that use them. */
import { cpSync } from 'node:fs';
import type { World } from '../../shared/world.ts';
import { inRepository } from '../../shared/world.ts';
import { byteStep, CUT } from '../forms/bytes.ts';
import { json } from '../forms/json.ts';
import { safetensors } from '../forms/safetensors.ts';
import { template } from '../forms/text.ts';
import type { Subject } from '../subject.ts';

/** The last byte of weights is a value: whatever is cut off is missed. */
const cut: Subject['mustBeSaid'] = steps => steps.every(step => step.kind % 2 === 0 && byteStep({ ...step, kind: step.kind >> 1 }) === CUT);

/** Models that show where they look, and those that answer. */
export function modelSubjects(world: World): Subject[] {
  const attribute = (folder: string): string[] => [
    ...['attribute', world.at('disc.png'), 'a cat', '--model', folder, '--method', 'grad-cam', '--json', '--quiet'],
  ];
  const clip = { folder: world.at('clip'), args: attribute };
  const generate = (folder: string): string[] => [
    ...['generate', '--model', folder, '--input', world.at('questions.jsonl'), '--images', world.at('images')],
    ...['--output', `${folder}/answers.jsonl`, '--max-new-tokens', '3', '--quiet'],
  ];
  const llava = { folder: world.at('llava'), args: generate, outcome: ['answers.jsonl'] };
  const sharded = world.at('sharded');
  cpSync(inRepository('src/models/testdata/clip-tiny-sharded-bf16'), sharded, { recursive: true });
  const info = (folder: string): string[] => ['models', 'info', folder, '--json', '--quiet'];
  const adapter = (folder: string): string[] => [
    ...['models', 'convert', folder, '--base', world.at('tune', 'model'), '--output', `${folder}/merged`, '--quiet'],
  ];
  return [
    { kind: 'safetensors', name: 'clip weights', file: 'model.safetensors', form: safetensors, mustBeSaid: cut, ...clip },
    { kind: 'safetensors', name: 'llava weights', file: 'model.safetensors', form: safetensors, mustBeSaid: cut, ...llava },
    { kind: 'safetensors', name: 'index of shards', folder: sharded, file: 'model.safetensors.index.json', form: json, args: info },
    { kind: 'configs', name: 'clip config', file: 'config.json', form: json, ...clip },
    { kind: 'configs', name: 'clip preprocessor', file: 'preprocessor_config.json', form: json, ...clip },
    { kind: 'configs', name: 'clip info', folder: clip.folder, file: 'config.json', form: json, args: info },
    { kind: 'configs', name: 'llava config', file: 'config.json', form: json, ...llava },
    { kind: 'tokenizers', name: 'clip tokenizer', file: 'tokenizer.json', form: json, ...clip },
    { kind: 'tokenizers', name: 'clip tokenizer config', file: 'tokenizer_config.json', form: json, ...clip },
    { kind: 'tokenizers', name: 'llava tokenizer', file: 'tokenizer.json', form: json, ...llava },
    { kind: 'tokenizers', name: 'llava tokenizer config', file: 'tokenizer_config.json', form: json, ...llava },
    {
      kind: 'templates',
      name: 'chat template',
      folder: world.at('templated'),
      file: 'chat_template.jinja',
      form: template,
      args: generate,
      outcome: ['answers.jsonl'],
    },
    { kind: 'adapters', name: 'adapter config', folder: world.at('adapter'), file: 'adapter_config.json', form: json, args: adapter },
    {
      kind: 'adapters',
      name: 'adapter weights',
      folder: world.at('adapter'),
      file: 'adapter_model.safetensors',
      form: safetensors,
      args: adapter,
    },
  ];
}
