/** @file A tiny LLaVA with random weights that can talk: one of models/llava/testdata and a tokenizer of 60 words. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { directoryOf } from '../../models/llava/testing/goldens.ts';

const SPECIAL = ['<pad>', '<s>', '</s>', '<unk>'];
const WORDS = (
  'USER ASSISTANT : . , ? ! is are there a an the in of picture how many things what color yes no one two three four five ' +
  'cat dog red green blue large small left right above below it they'
).split(' ');

/** A template without line ends: this tokenizer drops them. */
export const TINY_TEMPLATE =
  "{% for m in messages %}{% if m['role'] == 'user' %}USER: {{ m['content'] }} {% elif m['role'] == 'system' %}{{ m['content'] }} {% else %}ASSISTANT: {{ m['content'] }}</s>{% endif %}{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}";

/** Copies a tiny model to `to` and writes its tokenizer. @param change of config.json */
export async function writeTinyChat(to: string, name = 'qwen2-tied', change: Readonly<Record<string, unknown>> = {}): Promise<string> {
  await cp(directoryOf(name), to, { recursive: true });
  const config = JSON.parse(await readFile(join(to, 'config.json'), 'utf8')) as Record<string, unknown>;
  await writeFile(join(to, 'config.json'), JSON.stringify({ ...config, ...change }));
  const vocabulary: Record<string, number> = {};
  for (const [id, token] of [...SPECIAL, ...WORDS].entries()) vocabulary[token] = id;
  for (let id = Object.keys(vocabulary).length; id < 59; id++) vocabulary[`w${id}`] = id;
  const special = [...SPECIAL.map((content, id) => ({ id, content })), { id: 59, content: '<image>' }];
  await writeFile(
    join(to, 'tokenizer.json'),
    JSON.stringify({
      added_tokens: special.map(token => ({
        ...token,
        special: true,
        normalized: false,
        lstrip: false,
        rstrip: false,
        single_word: false,
      })),
      normalizer: null,
      pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Punctuation', behavior: 'Isolated' }] },
      post_processor: {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
        special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
      },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: false },
      model: { type: 'WordLevel', unk_token: '<unk>', vocab: { ...vocabulary, '<image>': 59 } },
    }),
  );
  await writeFile(
    join(to, 'tokenizer_config.json'),
    JSON.stringify({ bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>', unk_token: '<unk>', chat_template: TINY_TEMPLATE }),
  );
  return to;
}

/** Writes a picture of one colour. */
export async function writePicture(path: string, colour: readonly [number, number, number], width = 12, height = 12): Promise<string> {
  const [r, g, b] = colour;
  await sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
    .png()
    .toFile(path);
  return path;
}
