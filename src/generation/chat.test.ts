import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseBottleneckConfig } from '../bottleneck/gaussian/config.ts';
import { initialBottleneck } from '../bottleneck/gaussian/module.ts';
import { writeSafetensors } from '../checkpoints/write.ts';
import { decodeImage } from '../inputs/image/decode.ts';
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { directoryOf } from '../models/llava/testing/goldens.ts';
import { LlavaModel } from '../models/pretrained.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { floats } from '../tensor/tensor.ts';
import { type Answer, ChatSession } from './chat-session.ts';
import { generate } from './generate.ts';
import { openLlava } from './open-llava.ts';
import { ChatModel } from './pretrained.ts';
import { writePicture, writeTinyChat } from './testing/tiny-chat.ts';

const runtime = nodeRuntime({ threads: 1 });
let root: string;
let tiny: string;
let chat: ChatModel;
let red: RgbImage;
let blue: RgbImage;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-chat-'));
  tiny = await writeTinyChat(join(root, 'tiny'));
  chat = await ChatModel.open(tiny, { runtime });
  red = await decodeImage(await writePicture(join(root, 'red.png'), [250, 10, 0]));
  blue = await decodeImage(await writePicture(join(root, 'blue.png'), [0, 20, 240], 20, 12));
});
afterAll(async () => {
  await chat.release();
  await rm(root, { recursive: true });
});

const SHORT = { maxNewTokens: 4 };
/** Asks, and checks that the pieces make up the answer. */
async function ask(session: ChatSession, question: string, options: object = SHORT): Promise<Answer> {
  const answer = session.ask(question, options);
  let pieces = '';
  for (;;) {
    const { done, value } = await answer.next();
    if (done) {
      expect(pieces).toBe(value.text);
      return value;
    }
    pieces += value;
  }
}

describe('ChatSession', () => {
  it('answers what generate answers for the same conversation, turn after turn', async () => {
    const session = new ChatSession(chat);
    session.restart([red]);
    const first = await ask(session, 'what color ?');
    const second = await ask(session, 'is there a cat ?');
    const turns = [
      { role: 'user', content: '<image>\nwhat color ?' },
      { role: 'assistant', content: first.text },
      { role: 'user', content: 'is there a cat ?' },
    ] as const;
    const pixels = chat.pixels([red]);
    const [one, two] = await generate(
      chat.model,
      [chat.prompt(turns.slice(0, 1), pixels), chat.prompt(turns, pixels)],
      chat.options(SHORT),
    );
    expect([first.text, second.text]).toEqual([one.text.trim(), two.text.trim()]);
    expect(second.promptTokens).toBeGreaterThan(first.promptTokens + first.tokens);
    expect(session.messages.map(m => m.role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    // The same pictures and no turns: the first answer again.
    session.restart();
    expect((await ask(session, 'what color ?')).text).toBe(first.text);
    session.restart([]);
    expect((await ask(session, 'what color ?')).promptTokens).toBe(first.promptTokens - 4);
  });

  it('takes pictures in later turns, and widens one that is no square where that is asked for', async () => {
    const session = new ChatSession(chat);
    await ask(session, 'is it red ?');
    session.add(blue);
    session.add(red);
    expect(session.pending).toBe(2);
    await ask(session, 'how many things ?');
    expect([session.pending, session.messages[2].content]).toEqual([0, '<image>\n<image>\nhow many things ?']);
    const padded = await ChatModel.from(await openLlava(tiny, { runtime }), { imageAspect: 'pad' });
    // A wide picture of one colour has bars above and below once it is widened to a square.
    const rows = (model: ChatModel): Set<number> => new Set([0, 6, 11].map(y => model.pixels([blue])!.data[y * 12 + 6]));
    expect([rows(chat).size, rows(padded).size]).toEqual([1, 2]);
    await padded.release();
  });

  it('is as before where an answer is aborted or refused', async () => {
    const session = new ChatSession(chat);
    session.restart([red]);
    const controller = new AbortController();
    const answer = session.ask('what color ?', { maxNewTokens: 30, signal: controller.signal });
    await answer.next();
    controller.abort(new Error('enough'));
    await expect(answer.next()).rejects.toThrow('enough');
    expect([session.messages.length, session.pending]).toEqual([0, 1]);
    await expect(ask(session, 'what <image> ?')).rejects.toThrow('must not hold <image>');
    await expect(ask(session, 'cat '.repeat(70))).rejects.toThrow(/has \d+ tokens, its images included, and .*tiny reads 64 at most/);
    expect((await ask(session, 'what color ?')).promptTokens).toBeGreaterThan(4);
  });

  it('uses the room that is left, and ends with length there', async () => {
    const session = new ChatSession(chat);
    const answer = await ask(session, 'cat '.repeat(50), { maxNewTokens: 100, stop: [] });
    expect(answer.finish === 'length' ? answer.promptTokens + answer.tokens : 64).toBe(64);
  });

  it('draws with a seed of its own for each question', async () => {
    const drawn = async (seed: number) => {
      const session = new ChatSession(chat, 'a picture.');
      const options = { maxNewTokens: 6, temperature: 2, seed };
      return [await ask(session, 'is it ?', options), await ask(session, 'is it ?', options)].map(a => a.text);
    };
    const texts = await drawn(1);
    expect(await drawn(1)).toEqual(texts);
    expect(await drawn(2)).not.toEqual(texts);
  });
});

describe('ChatModel', () => {
  it('ends answers where the template ends them', async () => {
    expect(chat.options({ stop: ['cat'] })).toMatchObject({ eosTokens: [2], stop: ['cat'], maxLength: 64 });
    await using plain = await ChatModel.open(tiny, { runtime, template: 'plain' });
    expect(plain.options().stop).toEqual(['\n']);
    // A config that names no end: the template's own end token counts all the same.
    const config = JSON.parse(await readFile(join(tiny, 'config.json'), 'utf8'));
    const silent = await writeTinyChat(join(root, 'silent'), 'qwen2-tied', { text_config: { ...config.text_config, eos_token_id: null } });
    await using model = await ChatModel.open(silent, { runtime });
    expect(model.options().eosTokens).toEqual([2]);
  });

  it('stops at no white space, and passes over it before an end token', async () => {
    const blank = `{% for m in messages %}{{ m.role }}: {{ m.content }}{{ ' ' }}{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}`;
    const spaced = `{% for m in messages %}{{ m.role }}: {{ m.content }}{% if m.role == 'assistant' %} \n</s>{% endif %}{% endfor %}`;
    const marked = `{% for m in messages %}{{ m.role }}: {% if m.role == 'assistant' %}{% generation %}{{ m.content }}\n###{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}`;
    const between = `{% for m in messages %}{{ m.role }}: {{ m.content }}{% if m.role == 'assistant' and not loop.last %}</s>{% endif %}{% endfor %}`;
    const opened = async (chat_template: string, eos: number | null = 1, eos_token: string | undefined = '</s>') => {
      const directory = await writeTinyChat(join(root, `ends${Math.random()}`), 'qwen2-tied');
      const config = JSON.parse(await readFile(join(directory, 'config.json'), 'utf8'));
      await writeFile(
        join(directory, 'config.json'),
        JSON.stringify({ ...config, text_config: { ...config.text_config, eos_token_id: eos } }),
      );
      await writeFile(
        join(directory, 'tokenizer_config.json'),
        JSON.stringify({ bos_token: '<s>', pad_token: '<pad>', eos_token, chat_template }),
      );
      await using model = await ChatModel.open(directory, { runtime });
      return {
        eosTokens: model.options().eosTokens,
        stop: model.options().stop,
        warnings: model.warnings.filter(w => !w.includes('image')),
      };
    };
    expect(await opened(blank)).toEqual({ eosTokens: [1], stop: undefined, warnings: [] });
    expect(await opened(spaced)).toEqual({ eosTokens: [1, 2], stop: undefined, warnings: [] });
    expect(await opened(between)).toEqual({ eosTokens: [1, 2], stop: undefined, warnings: [] });
    expect(await opened(marked)).toEqual({ eosTokens: [1], stop: ['###'], warnings: [] });
    const own = await opened(blank, null);
    expect([own.eosTokens, own.stop]).toEqual([[2], undefined]);
    expect(own.warnings).toEqual([expect.stringMatching(/names what ends an answer; the tokenizer's "<\/s>" does\.$/)]);
    const none = await opened(blank.replace('</s>', ''), null, '');
    expect([none.eosTokens, none.stop]).toEqual([[], undefined]);
    expect(none.warnings[0]).toMatch(/^Nothing says what ends an answer \(no eos_token_id/);
  });

  it('lets flags decide between drawing and beams, and says what of a checkpoint is ignored', async () => {
    const directory = await writeTinyChat(join(root, 'beams'), 'qwen2-tied', { image_aspect_ratio: 'anyres' });
    const write = (json: object) => writeFile(join(directory, 'generation_config.json'), JSON.stringify(json));
    await write({ num_beams: 3, length_penalty: 0.5, max_length: 40, min_new_tokens: 9, typical_p: 0.5 });
    await writeFile(join(directory, 'training_args.json'), JSON.stringify({ method: 'projector', template: 'v1' }));
    {
      await using model = await ChatModel.open(directory, { runtime });
      expect(model.options()).toMatchObject({ numBeams: 3, lengthPenalty: 0.5, maxLength: 40, minNewTokens: 9 });
      const drawn = model.options({ temperature: 1, maxNewTokens: 4 });
      expect([drawn.numBeams, drawn.lengthPenalty, drawn.maxLength, drawn.minNewTokens]).toEqual([undefined, undefined, 64, 4]);
      const said = model.warnings.filter(w => !w.includes('image rules')).join('\n');
      expect(said).toMatch(
        /typical_p is not supported.*\n.*image_aspect_ratio "anyres" is not known here; pictures are taken as "square".*\n.*was trained with the template vicuna_v1 \(training_args.json\), and answers with jinja; --template vicuna_v1/,
      );
      const session = new ChatSession(model);
      expect((await ask(session, 'is it ?', { maxNewTokens: 3 })).tokens).toBeGreaterThan(0);
    }
    await write({ do_sample: true, temperature: 0.5, top_k: 7 });
    await using model = await ChatModel.open(directory, { runtime, template: 'vicuna_v1', imageAspect: 'pad' });
    expect(model.warnings.filter(w => !w.includes('image rules'))).toEqual([]);
    const searched = model.options({ numBeams: 2 });
    expect([searched.numBeams, searched.temperature, searched.topK]).toEqual([2, undefined, undefined]);
  });

  it('refuses a system text that the template leaves out', async () => {
    const deaf = `{% for m in messages %}{% if m.role != 'system' %}{{ m.role }}: {{ m.content }}{% endif %}{% endfor %}`;
    const directory = await writeTinyChat(join(root, 'deaf'));
    await writeFile(join(directory, 'chat_template.jinja'), deaf);
    await using model = await ChatModel.open(directory, { runtime });
    await expect(ask(new ChatSession(model, 'be brief'), 'is it ?')).rejects.toThrow('leaves the system text out');
  });

  it('takes what generation_config.json says, and what is given over it', async () => {
    const directory = await writeTinyChat(join(root, 'sampling'));
    await writeFile(join(directory, 'generation_config.json'), JSON.stringify({ do_sample: true, temperature: 0.7, max_new_tokens: 3 }));
    await using model = await ChatModel.open(directory, { runtime });
    expect(model.options({ topK: 5, temperature: undefined })).toMatchObject({ temperature: 0.7, maxNewTokens: 3, topK: 5 });
    expect(model.options({ temperature: 0 }).temperature).toBe(0);
  });
});

describe('openLlava', () => {
  it('runs a bottleneck that the config names, and refuses where its weights are missing', async () => {
    const settings = { bottleneck_layers: [0], alpha_end: 0.5 };
    const directory = await writeTinyChat(join(root, 'vittle'), 'qwen2-tied', { bottleneck_config: settings });
    await expect(openLlava(directory, { runtime })).rejects.toThrow(/has a bottleneck_config, but there is no .*bottleneck.safetensors/);
    await expect(LlavaModel.fromPretrained(directory, { runtime })).rejects.toThrow('open the model with openLlava');
    const weights = initialBottleneck(parseBottleneckConfig(settings, 'test'), 24, 3);
    const tensors = Object.fromEntries(
      weights.map(({ name, shape, data }) => [
        name,
        floats(
          shape,
          data.map(v => 20 * v),
        ),
      ]),
    );
    await writeSafetensors(join(directory, 'bottleneck.safetensors'), tensors);
    const session = [{ role: 'user', content: 'is there a cat ?' }] as const;
    const logits = async (alpha?: number) => {
      await using model = await ChatModel.open(directory, { runtime, alpha });
      return (await model.model.start([model.prompt(session)])).logits.data;
    };
    const plain = (await chat.model.start([chat.prompt(session)])).logits.data;
    expect(await logits()).not.toEqual(plain);
    expect(await logits(0.5)).toEqual(await logits());
    expect(await logits(0)).toEqual(plain);
  });

  it('says what cannot answer', async () => {
    const clip = new URL('../models/testdata/clip-tiny', import.meta.url).pathname;
    await expect(openLlava(clip)).rejects.toThrow('a model that compares images with texts and writes none');
    await expect(openLlava(tiny, { alpha: 0.3 })).rejects.toThrow('has no bottleneck_config, so there is no bottleneck whose alpha');
    await expect(ChatModel.open(directoryOf('qwen2-tied'))).rejects.toThrow('tokenizer.json is missing');
  });
});
