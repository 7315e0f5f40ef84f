/** Every command that serves a model that answers, on the tiny checkpoint of every family; and what bad input gets there, one sentence each. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../checkpoints/write.ts';
import { ChatModel } from '../generation/pretrained.ts';
import { FAMILY_GOLDENS, familyDirectory } from '../generation/testing/family-goldens.ts';
import { goldenIn } from '../models/llava/testing/goldens.ts';
import { floats, ints } from '../tensor/tensor.ts';
import { attributeCommand } from './commands/attribute.ts';
import { chatCommand } from './commands/chat.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { generateCommand } from './commands/generate.ts';
import { modelsInfoCommand } from './commands/models-info.ts';
import { trainTuneCommand } from './commands/train-tune.ts';
import { verifyCommand } from './commands/verify.ts';
import { callCommand } from './testing/call-command.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-cli-families-'));
});
afterAll(() => rm(root, { recursive: true }));

/** The third conversation of the goldens, whose greedy answer transformers recorded. */
const [CASE, QUESTION] = [2, 'a cat?'];
const json = async (path: string) => JSON.parse(await readFile(path, 'utf8'));
const lines = async (path: string) =>
  (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));

describe.each(FAMILY_GOLDENS)('%s', name => {
  const model = familyDirectory(name);
  const picture = join(model, `picture-${CASE}-0.png`);
  const at = (...parts: string[]): string => join(root, name.replaceAll('/', '-'), ...parts);
  let expected: string;
  let tokens: number;
  beforeAll(async () => {
    await mkdir(at(), { recursive: true });
    await cp(picture, at('p.png'));
    const g = await goldenIn(model);
    await using chat = await ChatModel.open(model);
    const ids = Array.from((await g.raw(`generate.${CASE}`)).data, Number);
    const { eosTokens = [] } = chat.options();
    const end = ids.findIndex(id => eosTokens.includes(id));
    expected = chat.tokenizer.decode(end < 0 ? ids : ids.slice(0, end)).trim();
    tokens = (await g.raw(`prompt.${CASE}.ids`)).data.length;
  });
  const call = async (command: Parameters<typeof callCommand>[0], ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await callCommand(command, args);
    expect(code, stderr).toBe(0);
    return stdout;
  };
  const answering = ['--model', model, '--max-new-tokens', '6', '--temperature', '0'];

  it("chats, answers files and benchmarks with transformers' answer", async () => {
    const said = JSON.parse(await call(chatCommand, ...answering, '--image', picture, '--question', QUESTION, '--json'));
    expect([said.text.trim(), said.promptTokens]).toEqual([expected, tokens]);

    await writeFile(at('q.jsonl'), `${JSON.stringify({ question_id: 1, image: 'p.png', question: QUESTION })}\n`);
    await call(generateCommand, ...answering, '--input', at('q.jsonl'), '--output', at('a.jsonl'));
    expect((await lines(at('a.jsonl'))).map(row => row.text.trim())).toEqual([expected]);

    await writeFile(at('set.jsonl'), `${JSON.stringify({ id: 1, image: 'p.png', question: QUESTION, answer: expected || 'x' })}\n`);
    const evaluate = [
      ...answering,
      '--benchmark',
      'generic',
      '--data',
      at('set.jsonl'),
      '--prompt',
      'plain',
      '--scorer',
      'exact@normalised',
    ];
    await call(evaluateCommand, ...evaluate, '--feature-cache', at('features'), '--output', at('first'));
    // The second run reads the picture's features from the first one's cache.
    await call(evaluateCommand, ...evaluate, '--feature-cache', at('features'), '--output', at('second'));
    for (const run of ['first', 'second']) {
      const [row] = await lines(at(run, 'answers', 'generic', 'clean.jsonl'));
      expect(row.text.trim(), run).toBe(expected);
    }
  });

  it('explains an answer, alone and in a list, and verifies', async () => {
    const explain = ['--model', model, '--method', 'input-x-gradient', '--answer', 'no'];
    await call(
      attributeCommand,
      picture,
      QUESTION,
      ...explain,
      '--output',
      at('map.json'),
      '--output',
      at('map.html'),
      '--output',
      at('map.png'),
    );
    const one = await json(at('map.json'));
    expect(one.image.patches.length).toBe(one.image.grid[0] * one.image.grid[1]);
    expect(one.image.patches.every(Number.isFinite)).toBe(true);
    await writeFile(at('list.csv'), `image,question,answer\np.png,${QUESTION},no\n`);
    await call(attributeCommand, '--pairs', at('list.csv'), ...explain.slice(0, 4), '--formats', 'json', '--output', at('audit'));
    const [row] = await lines(at('audit', 'results.jsonl'));
    expect([row.question, row.answer]).toEqual([QUESTION, 'no']);

    const g = await goldenIn(model);
    const ids = (await g.raw('prompt.1.ids')).data as Int32Array;
    const shape = (await g.floats('right.logits')).shape;
    const from = 1 * shape[1] * shape[2];
    const logits = (await g.floats('right.logits')).data.slice(from, from + ids.length * shape[2]);
    const write = (data: Float32Array) =>
      writeSafetensors(at('reference.safetensors'), {
        input_ids: ints([1, ids.length], ids),
        logits: floats([1, ids.length, shape[2]], data),
      });
    await write(logits);
    expect(await call(verifyCommand, '--model', model, '--reference', at('reference.safetensors'))).toContain('logits');
    await write(logits.map(v => -v));
    expect((await callCommand(verifyCommand, ['--model', model, '--reference', at('reference.safetensors')])).code).toBe(1);
  });

  it('is tuned by LoRA and through a bottleneck, and says which argument it has no use for', async () => {
    const record = {
      id: 'a',
      image: 'p.png',
      conversations: [
        { from: 'human', value: `<image>\n${QUESTION}` },
        { from: 'gpt', value: 'no' },
      ],
    };
    await writeFile(at('data.json'), JSON.stringify([record]));
    const tune = [
      '--model',
      model,
      '--data-path',
      at('data.json'),
      '--max-steps',
      '1',
      '--per-device-train-batch-size',
      '1',
      '--num-threads',
      '1',
    ];
    const lora = await callCommand(trainTuneCommand, [
      ...tune,
      '--method',
      'lora',
      '--lora-r',
      '2',
      '--output-dir',
      at('lora'),
      '--image-aspect-ratio',
      'pad',
    ]);
    expect(lora.code, lora.stderr).toBe(0);
    expect(lora.stderr).toMatch(
      /"image_aspect_ratio" is ignored: .* is a (SmolVLM|LLaVA-NeXT|LLaVA-OneVision|Qwen2-VL|Qwen2\.5-VL), which takes pictures/,
    );
    expect((await json(at('lora', 'adapter_config.json'))).r).toBe(2);
    const vittle = await callCommand(trainTuneCommand, [...tune, '--method', 'vittle', '--output-dir', at('vittle')]);
    expect(vittle.code, vittle.stderr).toBe(0);
    expect(vittle.stderr).not.toContain('is ignored');
    expect((await json(at('vittle', 'config.json'))).bottleneck_config.bottleneck_layers).toEqual([1]);
  });

  /** What a command that fails says, in one line. */
  const refusal = async (command: Parameters<typeof callCommand>[0], ...args: string[]): Promise<string> => {
    const { code, stderr } = await callCommand(command, args);
    expect(code, stderr).not.toBe(0);
    const said = stderr.split('\n').filter(line => line.startsWith('narrows: '));
    expect(said.length, stderr).toBe(1);
    expect(stderr).not.toMatch(/^\s+at /m);
    return said[0];
  };

  it('refuses in one sentence what it cannot read, write or hold', async () => {
    const attribute = (question: string, ...more: string[]) =>
      refusal(attributeCommand, picture, question, '--model', model, '--method', 'uniform', '--output', at('none.json'), ...more);
    expect(await attribute(QUESTION, '--answer', 'a <image>')).toMatch(/An answer must not hold <image>/);
    expect(await attribute(QUESTION, '--answer', ' ')).toMatch(/The answer is empty/);
    expect(await attribute('', '--answer', 'no')).toMatch(/question is empty|caption is empty/);
    expect(await attribute('<image> what?', '--answer', 'no')).toMatch(/must not hold <image>/);
    expect(await attribute(QUESTION, '--answer', 'no', '--image-size', '64')).toMatch(/--image-size is for models that compare/);
    expect(await refusal(attributeCommand, '--image', picture, '--model', model)).toMatch(
      /caption is missing: .* or a question in its place/,
    );
    expect(await refusal(attributeCommand, '--text', QUESTION, '--model', model)).toMatch(/image is missing/);
    const chat = ['--model', model, '--question', QUESTION];
    expect(await refusal(chatCommand, ...chat, '--image-aspect-ratio', 'pad')).toMatch(/takes pictures of any shape as they are/);
    expect(await refusal(chatCommand, '--model', model, '--question', '<image> what?')).toMatch(/<image>/);
    await writeFile(at('bad.jsonl'), `${JSON.stringify({ question_id: 1, text: `<image> ${QUESTION}` })}\n`);
    expect(await refusal(generateCommand, '--model', model, '--input', at('bad.jsonl'), '--output', at('b.jsonl'))).toMatch(
      /bad\.jsonl, line 1: the text has 1 <image> mark, but/,
    );
    const scenes = await refusal(trainTuneCommand, '--model', model, '--max-steps', '1', '--output-dir', at('scenes'));
    expect(scenes).toMatch(/scene|vocabulary/);
  });

  it('refuses an answer that its tokenizer has no token for', async () => {
    const mute = at('mute');
    await cp(model, mute, { recursive: true });
    const file = join(mute, 'tokenizer.json');
    const tokenizer = await json(file);
    // Without the letter q, and without an unknown token that would stand for it.
    const { q: id, ...others } = tokenizer.model.vocab;
    tokenizer.model.vocab = { ...others, 'never said': id };
    await writeFile(file, JSON.stringify(tokenizer));
    expect(
      await refusal(
        attributeCommand,
        picture,
        QUESTION,
        '--model',
        mute,
        '--method',
        'uniform',
        '--answer',
        'a quiz',
        '--output',
        at('m.json'),
      ),
    ).toMatch(/has no token for "q" of the answer "a quiz"/);
  });

  it('says what it lacks and what becomes of pictures', async () => {
    const { stdout } = await callCommand(modelsInfoCommand, [model]);
    expect(stdout).toMatch(/tiles of 16 x 16|patches of 4 x 4/);
    if (!name.includes('next-mistral')) expect(stdout).toMatch(/video/);
  });
});

describe("another version of a family's checkpoint", () => {
  const original = { mm_vision_tower: 'openai/clip-vit-large-patch14-336', mm_projector_type: 'mlp2x_gelu', hidden_size: 24 };
  it.each([
    [
      { model_type: 'idefics2' },
      /an Idefics2, whose connector resamples its patches, which Narrows does not run; take an Idefics3 or a SmolVLM/,
    ],
    [{ model_type: 'idefics' }, /the first Idefics/],
    [{ model_type: 'qwen', visual: {} }, /the first Qwen or Qwen-VL.*take a Qwen2-VL or Qwen2\.5-VL/],
    [{ model_type: 'qwen3_vl' }, /a Qwen3-VL.*take a Qwen2-VL or Qwen2\.5-VL/],
    [{ model_type: 'llava_next_video' }, /a LLaVA-NeXT for video/],
    [{ model_type: 'llava_qwen', ...original }, /a LLaVA-OneVision in the original code's layout.*take one in transformers'/],
    [{ model_type: 'llava_llama', ...original }, /layout of the original LLaVA code .*convert it once with: narrows models convert/],
    [
      { model_type: 'llava_llama', ...original, image_aspect_ratio: 'anyres', mm_patch_merge_type: 'spatial_unpad' },
      /a LLaVA-NeXT \(1\.6\) in the original/,
    ],
  ])('%o gets one sentence from every command', async (config, says) => {
    const directory = join(root, 'other');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'config.json'), JSON.stringify(config));
    const picture = join(familyDirectory(FAMILY_GOLDENS[0]), 'picture-2-0.png');
    await writeFile(
      join(root, 'one.json'),
      JSON.stringify([
        {
          conversations: [
            { from: 'human', value: 'a?' },
            { from: 'gpt', value: 'b' },
          ],
        },
      ]),
    );
    const model = ['--model', directory];
    for (const [command, ...args] of [
      [chatCommand, ...model, '--question', QUESTION],
      [attributeCommand, picture, QUESTION, ...model],
      [evaluateCommand, ...model, '--limit', '1', '--output', join(root, 'never')],
      [trainTuneCommand, ...model, '--data-path', join(root, 'one.json'), '--output-dir', join(root, 'never-tuned')],
      [verifyCommand, ...model, '--reference', join(familyDirectory(FAMILY_GOLDENS[0]), 'outputs.safetensors')],
      [modelsInfoCommand, directory],
    ] as [Parameters<typeof callCommand>[0], ...string[]][]) {
      const { code, stderr } = await callCommand(command, args);
      expect(code).not.toBe(0);
      expect(stderr.split('\n').find(line => line.startsWith('narrows: '))).toMatch(says);
    }
  });
});
