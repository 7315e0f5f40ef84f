import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chatTokenizerFiles } from '../../scenes/chat-tokenizer.ts';
import { findTemplate } from './find-template.ts';
import { joinSpans } from './template.ts';

const root = mkdtempSync(join(tmpdir(), 'narrows-template-'));
const turns = [
  { role: 'user', content: '<image>\nq' },
  { role: 'assistant', content: 'a' },
] as const;

/** A directory with the scenes' tokenizer; the files given come last. */
function checkpoint(name: string, files: Record<string, unknown> = {}): string {
  const directory = join(root, name);
  mkdirSync(directory, { recursive: true });
  const { 'chat_template.jinja': _, ...rest } = chatTokenizerFiles();
  for (const [file, content] of Object.entries({ ...rest, ...files }))
    writeFileSync(join(directory, file), typeof content === 'string' ? content : JSON.stringify(content));
  return directory;
}
const text = async (...args: Parameters<typeof findTemplate>): Promise<string> => joinSpans((await findTemplate(...args)).render(turns));
const jinja = (mark: string): string => `{% for m in messages %}${mark}{{ m.content }}{{ eos_token }}{% endfor %}`;
const config = chatTokenizerFiles()['tokenizer_config.json'] as object;

describe('findTemplate', () => {
  it("takes the checkpoint's own template, wherever it stands", async () => {
    const expected = '1<image>\nq</s>1a</s>';
    expect(await text(checkpoint('file', { 'chat_template.jinja': jinja('1') }))).toBe(expected);
    expect(await text(checkpoint('json', { 'chat_template.json': { chat_template: jinja('1') } }))).toBe(expected);
    expect(await text(checkpoint('config', { 'tokenizer_config.json': { ...config, chat_template: jinja('1') } }))).toBe(expected);
    const named = [
      { name: 'tool_use', template: jinja('2') },
      { name: 'default', template: jinja('1') },
    ];
    const directory = checkpoint('several', { 'tokenizer_config.json': { ...config, chat_template: named } });
    expect(await text(directory)).toBe(expected);
    expect((await findTemplate(directory)).source).toBe(join(directory, 'tokenizer_config.json'));
    expect(await text(directory, { name: 'jinja' })).toBe(expected);
    // What was asked for comes first, with the tokenizer's own end token.
    expect(await text(directory, { name: 'vicuna_v1' })).toMatch(/USER: <image>\nq ASSISTANT: a<\/s>$/);
  });

  it('else what tokens and names say', async () => {
    const name = async (directory: string): Promise<string> => (await findTemplate(directory)).name;
    expect(await name(checkpoint('llava-v1.5-7b'))).toBe('vicuna_v1');
    const vicuna = { model_type: 'llava', text_config: { model_type: 'llama', _name_or_path: 'lmsys/vicuna-7b-v1.5' } };
    expect(await name(checkpoint('mine', { 'config.json': vicuna }))).toBe('vicuna_v1');
    expect(await name(checkpoint('other', { 'config.json': { text_config: { model_type: 'qwen2' } } }))).toBe('chatml');
    const json = chatTokenizerFiles()['tokenizer.json'] as { added_tokens: object[] };
    const added = (content: string) => ({ ...json, added_tokens: [...json.added_tokens, { id: 999, content, special: true }] });
    expect(await name(checkpoint('a', { 'tokenizer.json': added('<|eot_id|>') }))).toBe('llama_3');
    expect(await name(checkpoint('b', { 'tokenizer.json': added('<|im_start|>') }))).toBe('chatml');
    expect(await name('plain')).toBe('plain');
  });

  it('runs templates of checkpoints in the sandbox', async () => {
    const long = '{% set n = namespace(t="xxxxxxxx") %}{% for i in range(22) %}{% set n.t = n.t + n.t %}{% endfor %}{{ n.t }}';
    const template = await findTemplate(checkpoint('long', { 'chat_template.jinja': long }));
    expect(() => template.render(turns)).toThrow(/it writes 33554432 characters/);
  }, 120_000);

  it('else asks for a name in one sentence', async () => {
    const none = checkpoint('none');
    await expect(findTemplate(none)).rejects.toThrow(
      `Nothing says which chat template ${none} was trained with; name it with --template: vicuna_v1, llava_v1, plain, llama_3, chatml, jinja.`,
    );
    await expect(findTemplate(none, { name: 'jinja' })).rejects.toThrow(/brings no chat template/);
    await expect(findTemplate(none, { name: 'vicuna' })).rejects.toThrow(/no chat template "vicuna"; choose among vicuna_v1/);
    await expect(findTemplate('nowhere')).rejects.toThrow(/no chat template "nowhere"; choose among/);
    await expect(findTemplate(checkpoint('bad', { 'chat_template.json': {} }))).rejects.toThrow(/chat_template\.json has no text under/);
  });
});
