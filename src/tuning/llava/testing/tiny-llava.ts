/** @file The tiny LLaVA of models/llava/testdata with a tokenizer of whole words, and conversations about pictures of one colour. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const WORDS = [
  "a chat between curious user and an artificial intelligence assistant the gives helpful detailed polite answers to s questions what colour is this it picture red green blue black white say word twice thank you : . , ? ! '",
];
const SPECIAL = ['<pad>', '<s>', '</s>', '<unk>'];
const IMAGE_TOKEN = 119;

/** tokenizer.json of 120 tokens, the last one `<image>`. @param imageToken its text; another one makes a tokenizer that lacks it */
export function tinyTokenizer(imageToken = '<image>'): object {
  const words = [...new Set(WORDS.flatMap(line => line.split(' ')))];
  const fillers = Array.from({ length: IMAGE_TOKEN - SPECIAL.length - words.length }, (_, i) => `filler${i}`);
  const added = (content: string, id: number) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const begin = { SpecialToken: { id: '<s>', type_id: 0 } };
  return {
    version: '1.0',
    added_tokens: [...SPECIAL.map(added), ...(imageToken ? [added(imageToken, IMAGE_TOKEN)] : [])],
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Punctuation', behavior: 'Isolated' }] },
    post_processor: {
      type: 'TemplateProcessing',
      single: [begin, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [begin, { Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    },
    model: {
      type: 'WordLevel',
      unk_token: '<unk>',
      vocab: Object.fromEntries([...SPECIAL, ...words, ...fillers].map((word, id) => [word, id])),
    },
  };
}

const MODEL = fileURLToPath(new URL('../../../models/llava/testdata/llava-tiny/', import.meta.url));

/** Writes the model directory. */
export async function writeTinyLlava(directory: string, tokenizer = tinyTokenizer()): Promise<string> {
  await mkdir(directory, { recursive: true });
  for (const name of ['config.json', 'model.safetensors']) await copyFile(join(MODEL, name), join(directory, name));
  await writeFile(join(directory, 'tokenizer.json'), JSON.stringify(tokenizer));
  const names = { bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>', unk_token: '<unk>' };
  await writeFile(join(directory, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', ...names }));
  return directory;
}

const COLOURS = { red: [220, 30, 30], green: [30, 200, 40], blue: [30, 40, 220], black: [5, 5, 5], white: [250, 250, 250] } as const;

/** A record of LLaVA's format. */
export interface TinyRecord {
  id: string;
  image?: string | string[];
  conversations: { from: string; value: string }[];
}

/**
 * Writes `pictures/` and `data.json`: of every five records four show a picture of one colour (not square, as files are), one is text only.
 * @param text share of records without picture is as said; `false`: all have one
 */
export async function writeTinyData(directory: string, count: number, text = true): Promise<{ path: string; records: TinyRecord[] }> {
  await mkdir(join(directory, 'pictures'), { recursive: true });
  const names = Object.keys(COLOURS) as (keyof typeof COLOURS)[];
  for (const name of names) {
    const [r, g, b] = COLOURS[name];
    await sharp({ create: { width: 40, height: 30, channels: 3, background: { r, g, b } } })
      .png()
      .toFile(join(directory, `pictures/${name}.png`));
  }
  const records = Array.from({ length: count }, (_, i): TinyRecord => {
    const colour = names[i % names.length];
    if (text && i % 5 === 4) {
      const word = names[Math.floor(i / 5) % names.length];
      return { id: `text-${i}`, conversations: turns(`Say this word: ${word}`, word) };
    }
    const more = i % 2 ? turns('Say it twice.', `${colour} ${colour}`) : [];
    return {
      id: `picture-${i}`,
      image: `pictures/${colour}.png`,
      conversations: [...turns('<image>\nWhat colour is this picture?', colour), ...more],
    };
  });
  const path = join(directory, 'data.json');
  await writeFile(path, JSON.stringify(records));
  return { path, records };
}

/** A question and its answer. */
export const turns = (question: string, answer: string) => [
  { from: 'human', value: question },
  { from: 'gpt', value: answer },
];

/** Arguments of a run that takes seconds. */
export const TINY_RUN = {
  per_device_train_batch_size: 2,
  gradient_accumulation_steps: 2,
  learning_rate: 3e-3,
  max_steps: 12,
  logging_steps: 3,
  eval_steps: 6,
  save_steps: 4,
  num_threads: 1,
  template: 'v1',
  seed: 3,
};
