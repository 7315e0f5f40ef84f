import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { CHAT_IMAGE_TOKEN, CHAT_TOKENS, chatTokenizerFiles } from '../../scenes/chat-tokenizer.ts';
import { callCommand } from '../testing/call-command.ts';
import { dataInspectCommand } from './data-inspect.ts';

const cwd = mkdtempSync(join(tmpdir(), 'narrows-inspect-'));
const call = (args: readonly string[], env: Record<string, string> = {}) => callCommand(dataInspectCommand, args, { env });
/** Files of the test, as paths. */
const at = (...parts: string[]): string => join(cwd, ...parts);
const human = (value: string) => ({ from: 'human', value });
const gpt = (value: string) => ({ from: 'gpt', value });

beforeAll(() => {
  const write = (path: string, content: unknown): void =>
    writeFileSync(join(cwd, path), typeof content === 'string' ? content : JSON.stringify(content));
  for (const directory of ['model', 'images']) mkdirSync(join(cwd, directory));
  for (const [name, content] of Object.entries(chatTokenizerFiles())) write(`model/${name}`, content);
  // Nothing but the config is read of the model: 24 pixels in patches of 12 make 4 tokens.
  write('model/config.json', {
    model_type: 'llava',
    image_token_index: CHAT_IMAGE_TOKEN,
    vision_config: { model_type: 'clip_vision_model', image_size: 24, patch_size: 12, num_hidden_layers: 2 },
    text_config: { model_type: 'llama', vocab_size: CHAT_TOKENS.length, hidden_size: 32, num_attention_heads: 2, num_hidden_layers: 2 },
  });
  write('images/1.png', '');
  const first = {
    id: 's1',
    image: '1.png',
    conversations: [human('is there a dog in the picture ?\n<image>'), gpt('yes'), human('how many things ?'), gpt('two')],
  };
  const second = { image: '2.png', conversations: [human('<image>\ndescribe the picture .'), gpt('an é cat')] };
  const third = { conversations: [human('which is larger ?'), gpt('the dog')] };
  write('data.json', [first, second, third]);
  write('data.jsonl', `${JSON.stringify(first)}\n{"conversations": [}\n`);
  write('silent.jsonl', `${JSON.stringify({ conversations: [human('is it ?')] })}\n`);
});

describe('data inspect', () => {
  it('shows what is learnt, counts, cuts, and totals', async () => {
    const { stdout, code } = await call([at('data.json'), '--model', at('model'), '--max-length', '19', '--limit', '2']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Template jinja (`);
    expect(stdout).toContain(
      'data.json, entry 1 (line 1) (id s1): 19 tokens, 2 supervised, 1 image\n' +
        '  <s>USER: <image ×4>↵\n  is there a dog in the picture ? ASSISTANT:⟦ yes</s>⟧\n  … 10 tokens cut\n',
    );
    expect(stdout).toContain('ASSISTANT:⟦ an é cat</s>⟧');
    expect(stdout).not.toContain('entry 3');
    expect(stdout).toMatch(/Conversations +3\n/);
    expect(stdout).toMatch(/Cut +10 tokens and 0 images of 1 conversation\n/);
    expect(stdout).toMatch(/Unknown +1 token outside of the vocabulary/);
  });

  it('in colour, and as JSON', async () => {
    const [coloured, json, cut] = await Promise.all([
      call([at('data.json'), '--tokenizer', at('model'), '--image-tokens', '9', '--limit', '1'], { FORCE_COLOR: '1' }),
      call([at('data.json'), '--tokenizer', at('model'), '--image-tokens', '9', '--json', '--template', 'vicuna_v1']),
      call([at('data.json'), '--model', at('model'), '--max-length', '5', '--limit', '0', '--json']),
    ]);
    expect(coloured.stdout).toContain('\x1b[36m<image ×9>\x1b[39m');
    expect(coloured.stdout).toContain('\x1b[32m yes\x1b[39m');
    expect(coloured.stdout).toContain('\x1b[2mUSER:');
    const data = JSON.parse(json.stdout);
    expect(data.template).toEqual({ name: 'vicuna_v1' });
    expect(data.conversations).toHaveLength(3);
    expect(data.conversations[0]).toMatchObject({ id: 's1', supervised: 4, images: 1, cut: 0 });
    const { segments, tokens } = data.conversations[0];
    expect(segments.filter((s: { kind: string }) => s.kind === 'supervised').map((s: { text: string }) => s.text)).toEqual([
      ' yes',
      '</s>',
      ' two',
      '</s>',
    ]);
    expect(segments.reduce((sum: number, s: { tokens: number }) => sum + s.tokens, 0)).toBe(tokens);
    // <s> USER : and no room for the four of the image.
    expect(JSON.parse(cut.stdout).totals).toMatchObject({ samples: 3, imagesCut: 2, images: 0, unsupervised: 3, samplesCut: 3 });
  });

  it('lists missing images, fails, or leaves their conversations out', async () => {
    const args = [at('data.json'), '--model', at('model'), '--images', at('images'), '--limit', '0'];
    const [failed, skipped] = await Promise.all([call(args), call([...args, '--skip-missing'])]);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/Missing +1 image of 1 conversation:\n {2}2\.png\n/);
    expect(failed.stderr).toMatch(/^narrows: 1 image of 1 of 3 conversations is missing from .*images: 2\.png; .*--skip-missing\.\n$/);
    expect(skipped.code).toBe(0);
    expect(skipped.stdout).toMatch(/Conversations +2\n/);
    expect(skipped.stderr).toContain('1 of 3 conversations were left out');
  });

  it('says what is wrong in one sentence', async () => {
    const cases: [string[], number, RegExp][] = [
      [[at('data.jsonl'), '--tokenizer', at('model')], 1, /data\.jsonl is not valid JSON: unexpected "}" at line 2, column 20\./],
      [[at('silent.jsonl'), '--tokenizer', at('model')], 1, /silent\.jsonl, line 1: the conversation has no turn of the assistant/],
      [[at('nope.json'), '--tokenizer', at('model')], 1, /Cannot read .*nope\.json/],
      [
        [at('data.json'), '--tokenizer', at('model'), '--template', 'plain'],
        1,
        /entry 1 \(line 1\): The template "plain" takes one question/,
      ],
      [[at('data.json'), '--tokenizer', at('model'), '--template', 'vicuna'], 2, /did you mean vicuna_v1/],
      [[at('data.json'), '--tokenizer', at('model'), '--model', at('model')], 2, /exclude each other/],
      [[at('data.json'), '--tokenizer', at('images')], 1, /tokenizer\.json is missing/],
    ];
    const ended = await Promise.all(cases.map(([args]) => call(args)));
    for (const [i, { code, stderr, stdout }] of ended.entries()) {
      expect(stderr).toMatch(cases[i][2]);
      expect(stderr.trim().split('\n'), stderr).toHaveLength(1);
      expect(code).toBe(cases[i][1]);
      expect(stdout.includes('undefined')).toBe(false);
    }
  });
});
