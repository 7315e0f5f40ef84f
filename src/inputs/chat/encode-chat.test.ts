import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CHAT_IMAGE_TOKEN, CHAT_TEMPLATE, chatTokenizerFiles } from '../../scenes/chat-tokenizer.ts';
import { sceneTokenizerJson } from '../../scenes/vocabulary.ts';
import { RandomStream } from '../../tensor/random.ts';
import { encodeTurns } from '../../tuning/llava/scene-batch.ts';
import { Tokenizer } from '../text/tokenizer.ts';
import type { TokenizerConfig, TokenizerJson } from '../text/tokenizer-files.ts';
import { encodeChat, supervisedCount } from './encode-chat.ts';
import type { ChatMessage } from './messages.ts';
import type { ChatTemplate } from './template.ts';
import { jinjaTemplate } from './templates/jinja.ts';
import { namedTemplate } from './templates/registry.ts';
import { vicunaV1 } from './templates/vicuna-v1.ts';
import { byteTokenizer, llamaTokenizer } from './testing/tokenizers.ts';

const turns: readonly ChatMessage[] = [
  { role: 'user', content: '<image>\nis there a dog in the picture ?' },
  { role: 'assistant', content: 'yes' },
  { role: 'user', content: 'how many things are in the picture ?' },
  { role: 'assistant', content: 'two' },
];
const IMAGE = -200;
const options = { imageToken: IMAGE, tokensPerImage: 3 };
/** What is learnt, token by token, as text. */
function learnt(tokenizer: Tokenizer, template: ChatTemplate, messages: readonly ChatMessage[], more = {}): string[] {
  const chat = encodeChat(tokenizer, template, messages, { ...options, ...more });
  expect(chat.labels.every((label, i) => label === -100 || label === chat.ids[i])).toBe(true);
  return chat.labels.flatMap((label, i) => (label === -100 ? [] : [chat.text.slice(...chat.offsets[i])]));
}

describe('labels', () => {
  it("equal LLaVA's counted masks on random conversations of Llama's tokenizer", () => {
    const tokenizer = llamaTokenizer();
    const random = new RandomStream(7, 'chat-test').reader(0, 0);
    const words = ['yes', 'no', 'a', 'dog', 'Sure', 'is it', 'x', '\n', 'é', '狗', '', 'the cat.', '"A"', ' '];
    const say = (): string =>
      Array.from({ length: 1 + random.integer(4) }, () => random.pick(words))
        .join(' ')
        .trim();
    for (let n = 0; n < 60; n++) {
      const messages: ChatMessage[] = [];
      for (let i = 0; i <= random.integer(3); i++)
        messages.push({ role: 'user', content: (i === 0 ? '<image>\n' : '') + say() }, { role: 'assistant', content: say() });
      const chat = encodeChat(tokenizer, vicunaV1(), messages, { imageToken: IMAGE, tokensPerImage: 1 });
      const expected = countedMask(tokenizer, chat.text);
      expect({ text: chat.text, ids: chat.ids, labels: chat.labels }).toEqual({ text: chat.text, ...expected });
    }
  });

  it('of the small LLaVA equal those that it was trained with', () => {
    const files = chatTokenizerFiles();
    const tokenizer = new Tokenizer(files['tokenizer.json'] as TokenizerJson, files['tokenizer_config.json'] as TokenizerConfig);
    const jinja = jinjaTemplate(CHAT_TEMPLATE, { source: 'scenes', bosToken: '<s>', eosToken: '</s>', specialTokens: ['<s>', '</s>'] });
    const expected = encodeTurns(
      [
        { question: 'is there a dog in the picture ?', answer: 'yes' },
        { question: 'how many things are in the picture ?', answer: 'two' },
      ],
      3,
    );
    for (const template of [jinja, vicunaV1()]) {
      const given: readonly ChatMessage[] = template === jinja ? turns : [{ role: 'system', content: '' }, ...turns];
      const chat = encodeChat(tokenizer, template, given, { imageToken: CHAT_IMAGE_TOKEN, tokensPerImage: 3 });
      expect(chat.ids).toEqual(expected.ids);
      expect(chat.labels).toEqual(expected.labels);
      expect(chat.images).toBe(1);
    }
  });

  it('of a template that writes its first token itself', () => {
    const files = sceneTokenizerJson();
    const tokenizer = new Tokenizer(files['tokenizer.json'] as TokenizerJson, files['tokenizer_config.json'] as TokenizerConfig);
    const source = `{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}is {{ m.content }}{% else %} it {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}`;
    const template = jinjaTemplate(source, { source: 'test', bosToken: '<bos>', eosToken: '<eos>' });
    const chat = encodeChat(tokenizer, template, turns, options);
    const [bos, eos] = [tokenizer.idOf('<bos>') as number, tokenizer.idOf('<eos>') as number];
    expect(chat.ids.filter(id => id === bos)).toEqual([bos]);
    expect(chat.ids[0]).toBe(bos);
    // The end that the tokenizer puts behind a caption is not doubled.
    expect(chat.ids.slice(-2)).toEqual([tokenizer.idOf('two'), eos]);
    expect(learnt(tokenizer, template, turns)).toEqual(['yes', '<eos>', 'two', '<eos>']);
  });

  it('of byte-level tokenizers: a token that begins with the blank before the answer is learnt', () => {
    const llama3 = byteTokenizer(['<|begin_of_text|>', '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'], {
      bos: '<|begin_of_text|>',
      trim: true,
    });
    const short: ChatMessage[] = [
      { role: 'user', content: '<image>\nis it a dog' },
      { role: 'assistant', content: 'yes the dog' },
    ];
    expect(learnt(llama3, namedTemplate('llama_3'), short).join('|')).toBe('y|e|s|the|dog|<|eot_id|>');
    const chat = encodeChat(llama3, namedTemplate('llama_3'), short, options);
    expect(chat.ids.filter(id => id === llama3.idOf('<|begin_of_text|>'))).toHaveLength(1);
    const qwen = byteTokenizer(['<|im_start|>', '<|im_end|>', '</s>']);
    expect(learnt(qwen, namedTemplate('chatml'), short).join('|')).toBe('y|e|s| the| dog|<|im_end|>');
    for (const trim of [false, true]) {
      const plain = byteTokenizer(['</s>'], { trim });
      expect(learnt(plain, vicunaV1(), short).map(text => text.trim())).toEqual(['yes', 'the', 'dog', '</s>']);
    }
  });

  it('of plain are all but the first token and the image', () => {
    const pair: ChatMessage[] = [
      { role: 'user', content: 'Describe it.\n<image>' },
      { role: 'assistant', content: 'a dog' },
    ];
    const tokenizer = llamaTokenizer();
    const chat = encodeChat(tokenizer, namedTemplate('plain'), pair, options);
    expect(chat.ids.slice(0, 4)).toEqual([tokenizer.idOf('<s>'), IMAGE, IMAGE, IMAGE]);
    expect(chat.labels.slice(0, 4)).toEqual([-100, -100, -100, -100]);
    expect(chat.labels.slice(4)).toEqual(chat.ids.slice(4));
    expect(learnt(tokenizer, namedTemplate('plain'), pair)).toEqual(['a', ' dog', '\n']);
  });

  it("of CLIP's vocabulary, which lower-cases and ends words", () => {
    const json = JSON.parse(gunzipSync(readFileSync(new URL('../text/testdata/clip-tokenizer.json.gz', import.meta.url))).toString());
    const tokenizer = new Tokenizer(json);
    const template = vicunaV1({ eosToken: '<|endoftext|>' });
    const talk: ChatMessage[] = [
      { role: 'user', content: '<image>\nWhat is it?' },
      { role: 'assistant', content: "It isn't a Dachshund." },
    ];
    expect(learnt(tokenizer, template, talk).join('|')).toBe("It|isn|'t|a|Dachshund|.|<|endoftext|>");
  });
});

describe('images', () => {
  it('are placed alike whether or not the tokenizer knows their token', () => {
    const [without, having] = [llamaTokenizer(), llamaTokenizer(['<unk>', '<s>', '</s>', '<image>'])];
    const many: ChatMessage[] = [
      { role: 'user', content: '<image><image>\nis it <image> a dog' },
      { role: 'assistant', content: 'yes' },
    ];
    const text = (tokenizer: Tokenizer, imageToken: number): (string | undefined)[] =>
      encodeChat(tokenizer, vicunaV1(), many, { imageToken, tokensPerImage: 2 }).ids.map(id => tokenizer.textOf(id) ?? '<image>');
    expect(text(having, having.idOf('<image>') as number)).toEqual(text(without, IMAGE));
    const chat = encodeChat(without, vicunaV1(), many, options);
    expect(chat.images).toBe(3);
    expect(chat.roles.filter(role => role === 'image')).toHaveLength(9);
    expect(new Set(chat.offsets.filter((_, i) => chat.roles[i] === 'image').map(([a, b]) => chat.text.slice(a, b)))).toEqual(
      new Set(['<image>']),
    );
    // By another name in the vocabulary.
    const renamed = llamaTokenizer(['<unk>', '<s>', '</s>', '<|img|>']);
    const other = encodeChat(renamed, vicunaV1(), many, {
      imageToken: renamed.idOf('<|img|>') as number,
      imageTokenText: '<|img|>',
      tokensPerImage: 2,
    });
    expect(other.images).toBe(3);
  });

  it('are cut whole, and what was cut is counted', () => {
    const tokenizer = llamaTokenizer();
    const many: ChatMessage[] = [
      { role: 'user', content: '<image>\nis it <image>' },
      { role: 'assistant', content: 'yes' },
    ];
    const whole = encodeChat(tokenizer, vicunaV1(), many, options);
    const second = whole.ids.lastIndexOf(IMAGE);
    for (const maxLength of [second, second - 1, second + 1, whole.ids.length, 1]) {
      const chat = encodeChat(tokenizer, vicunaV1(), many, { ...options, maxLength });
      const images = chat.ids.filter(id => id === IMAGE).length / 3;
      expect(chat.images).toBe(images);
      expect(Number.isInteger(images)).toBe(true);
      expect(chat.imagesCut).toBe(2 - images);
      expect(chat.ids.length + chat.cut).toBe(whole.ids.length);
      expect(chat.ids).toEqual(whole.ids.slice(0, chat.ids.length));
      expect(chat.labels).toHaveLength(chat.ids.length);
    }
    expect(encodeChat(tokenizer, vicunaV1(), many, { ...options, maxLength: second }).ids).toHaveLength(second - 2);
    expect(supervisedCount(encodeChat(tokenizer, vicunaV1(), many, { ...options, maxLength: second }))).toBe(0);
  });
});

describe('the generation prompt', () => {
  it('is the beginning of what is trained on', () => {
    const tokenizer = llamaTokenizer();
    const asked = encodeChat(tokenizer, vicunaV1(), turns.slice(0, 3), { ...options, generationPrompt: true });
    const trained = encodeChat(tokenizer, vicunaV1(), turns, options);
    expect(trained.ids.slice(0, asked.ids.length)).toEqual(asked.ids);
    // The first token behind it is the first that is learnt.
    expect(trained.labels.indexOf(trained.ids[asked.ids.length], asked.ids.length - 1)).toBe(asked.ids.length);
  });
});

/** LLaVA's `preprocess_v1` as `vittle.md` 1.9 tells it: tokens are counted round by round. Images are one token, −200. */
function countedMask(tokenizer: Tokenizer, text: string): { ids: number[]; labels: number[] } {
  const encode = (part: string): number[] => {
    const chunks = part.split('<image>').map(chunk => (chunk === '' ? [1] : [...tokenizer.encode(chunk).ids]));
    return chunks.flatMap((ids, i) => (i === 0 ? ids : [IMAGE, ...ids.slice(1)]));
  };
  const ids = encode(text);
  const labels = [...ids];
  let at = 1;
  labels[0] = -100;
  for (const round of text.split('</s>')) {
    if (round === '') break;
    const [before] = round.split(' ASSISTANT: ');
    const roundLength = encode(round).length;
    const instruction = encode(`${before} ASSISTANT: `).length - 2;
    labels.fill(-100, at, at + instruction);
    at += roundLength;
  }
  labels.fill(-100, at);
  if (at !== ids.length) labels.fill(-100);
  return { ids, labels };
}
