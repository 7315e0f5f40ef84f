/** What a run was trained with stands in its checkpoint, and answers use it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatModel } from '../../generation/pretrained.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import type { Logger } from '../../system/log.ts';
import { projectorTrainingSchema, tuneTrainingSchema } from './arguments.ts';
import { TINY_RUN, writeTinyData, writeTinyLlava } from './testing/tiny-llava.ts';
import { trainLlava } from './train.ts';

let root: string;
let model: string;
let records: { conversations: { from: string; value: string }[] }[];
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-trained-'));
  model = await writeTinyLlava(join(root, 'model'));
  records = JSON.parse(await readFile((await writeTinyData(root, 8)).path, 'utf8'));
});
afterAll(() => rm(root, { recursive: true }));

/** Trains one step on the records with turns put in front. @returns where, and what was said */
async function run(json: object, system: (i: number) => string | undefined = () => undefined, projector = false) {
  const path = join(root, `data-${count}.json`);
  const withSystem = records.map((record, i) => {
    const text = system(i);
    const turns = text === undefined ? record.conversations : [{ from: 'system', value: text }, ...record.conversations];
    return { ...record, conversations: projector ? turns.slice(0, 2) : turns };
  });
  await writeFile(path, JSON.stringify(withSystem));
  const common = { ...TINY_RUN, model, data_path: path, output_dir: join(root, `run-${count++}`), max_steps: 1, ...json };
  const args = projector
    ? ({ ...projectorTrainingSchema.parse(common), method: 'projector' } as const)
    : tuneTrainingSchema.parse({ method: 'full', ...common });
  const said: string[] = [];
  const log = { warn: (text: string) => said.push(text), info: () => {}, debug: () => {} } as unknown as Logger;
  await trainLlava(args, { log });
  return { directory: args.output_dir, said };
}
const open = (directory: string) => ChatModel.open(directory, { runtime: nodeRuntime({ threads: 1 }) });
const textOf = async (directory: string): Promise<string> => {
  await using chat = await open(directory);
  return chat.encoded([{ role: 'user', content: 'what colour is this ?' }]).text;
};

describe('a trained checkpoint', () => {
  it('is asked with the template that it was trained with, in a file that Python reads, too', async () => {
    const { directory, said } = await run({ template: 'v1' });
    const text = await readFile(join(directory, 'chat_template.jinja'), 'utf8');
    expect(text).toContain('A chat between a curious user');
    expect(said.filter(s => s.includes('template'))).toEqual([]);
    await using chat = await open(directory);
    expect([chat.template.name, chat.warnings.filter(w => w.includes('template'))]).toEqual(['vicuna_v1', []]);
    expect(chat.encoded([{ role: 'user', content: 'what ?' }]).text).toMatch(/^A chat between.*USER: what \? ASSISTANT:$/);
    // On from there without a name: the same template again.
    const next = await run({ model: directory });
    expect(await readFile(join(next.directory, 'chat_template.jinja'), 'utf8')).toBe(text);
  });

  it('holds the system text that all samples share, and says where they differ', async () => {
    const one = await run({ template: 'vicuna_v1' }, () => "say it's colour");
    expect(await textOf(one.directory)).toBe("say it's colour USER: what colour is this ? ASSISTANT:");
    // With the checkpoint's own template, which is not one of ours any more.
    const answered = await run({ model: one.directory }, () => 'be polite');
    expect(await textOf(answered.directory)).toBe('be polite USER: what colour is this ? ASSISTANT:');
    const some = await run({ template: 'vicuna_v1' }, i => (i ? 'say colour' : undefined));
    expect(some.said.join()).toMatch(/\d of \d samples have a system text, so none is stored/);
    expect(await textOf(some.directory)).toMatch(/^A chat between/);
  });

  it('treats pictures that are no squares as in training, here and in Python', async () => {
    const wide = join(root, 'wide.png');
    const { default: sharp } = await import('sharp');
    await sharp({ create: { width: 56, height: 28, channels: 3, background: { r: 250, g: 10, b: 0 } } })
      .png()
      .toFile(wide);
    const colours = async (directory: string): Promise<number> => {
      await using chat = await open(directory);
      const { data } = chat.pixels([await decodeImage(wide)])!;
      return new Set(data.subarray(0, 28 * 28)).size;
    };
    const config = async (directory: string, file: string) => JSON.parse(await readFile(join(directory, file), 'utf8'));
    const pad = await run({ image_aspect_ratio: 'pad' });
    expect(await config(pad.directory, 'config.json')).toMatchObject({ image_aspect_ratio: 'pad' });
    expect(await config(pad.directory, 'preprocessor_config.json')).toMatchObject({
      image_processor_type: 'LlavaImageProcessor',
      do_pad: true,
    });
    expect(await colours(pad.directory)).toBeGreaterThan(1);
    // Trained on without padding: neither config nor rules pad any more.
    const square = await run({ model: pad.directory, image_aspect_ratio: 'square' });
    expect(await config(square.directory, 'config.json')).toMatchObject({ image_aspect_ratio: 'square' });
    expect(await config(square.directory, 'preprocessor_config.json')).toMatchObject({ do_pad: false });
    expect(await colours(square.directory)).toBe(1);
  });

  it('says that a template ends answers with nothing, and names its own template after stage 1', async () => {
    const blank = `{% for m in messages %}{{ m.role }}: {{ m.content }} {% endfor %}{% if add_generation_prompt %}assistant:{% endif %}`;
    const start = await writeTinyLlava(join(root, 'blank'));
    await writeFile(join(start, 'chat_template.jinja'), blank);
    const none = await run({ model: start, template: 'jinja' });
    expect(none.said.join()).toMatch(
      /The template jinja \(.*chat_template.jinja\) ends answers with no end token.*vicuna_v1 ends them with it/,
    );
    expect(await readFile(join(none.directory, 'chat_template.jinja'), 'utf8')).toBe(blank);
    expect((await run({ model: start, template: 'vicuna_v1' })).said.join()).not.toContain('no end token');
    const captions = await run({ model: start, template: 'plain' }, undefined, true);
    expect(captions.said.join()).not.toContain('no end token');
    await using chat = await open(captions.directory);
    expect(chat.template.name).toBe('jinja');
    expect(chat.warnings.join()).toContain(
      'was trained with the template plain (training_args.json), and answers with jinja; --template plain',
    );
  });

  it('is an adapter that brings its template', async () => {
    const { directory } = await run({ method: 'lora', lora_r: 2, lora_alpha: 2, template: 'vicuna_v1' });
    expect(await readFile(join(directory, 'chat_template.jinja'), 'utf8')).toContain('A chat between a curious user');
  });
});
