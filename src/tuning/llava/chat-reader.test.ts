import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ChatReader, type ChatSample } from './chat-reader.ts';
import { llavaSource } from './source.ts';
import { writeTinyData, writeTinyLlava } from './testing/tiny-llava.ts';

let root: string;
let model: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-chat-reader-'));
  model = await writeTinyLlava(join(root, 'model'));
  await writeTinyData(root, 5);
});
afterAll(() => rm(root, { recursive: true }));

async function reader(maxLength = 1000): Promise<ChatReader> {
  const { config, preprocessor, tokenizer, directory } = await llavaSource(model);
  return ChatReader.open({ config, preprocessor, tokenizer, directory, template: 'v1', maxLength, aspectRatio: 'pad' });
}

/** A question about pictures. */
const asked = (colours: readonly string[]): ChatSample => ({
  name: '"s"',
  messages: [
    { role: 'user', content: `${'<image>\n'.repeat(colours.length)}What colour is this?` },
    { role: 'assistant', content: 'red' },
  ],
  images: colours.map(colour => join(root, `pictures/${colour}.png`)),
});

it('says how many tokens and images are cut, and feeds those that are left, in order', async () => {
  const whole = await reader();
  const two = whole.encode(asked(['red', 'blue']));
  expect(two.images).toBe(2);
  const each = two.ids.filter(id => id === 119).length / 2;
  const first = two.ids.indexOf(119);
  for (const [images, sentence] of [
    [2, ''],
    [1, ' (1 image among them)'],
    [0, ' (2 images among them)'],
  ] as const) {
    const most = images === 2 ? two.ids.length - 1 : first + images * each;
    const short = await reader(most);
    const notes: string[] = [];
    const encoded = short.encode(asked(['red', 'blue']), note => notes.push(note));
    const cut = two.ids.length - encoded.ids.length;
    expect(encoded.images).toBe(images);
    expect(notes[0]).toBe(
      `Sample "s" has ${two.ids.length} tokens; the last ${cut}${sentence} are cut, since "model_max_length" is ${most}.`,
    );
    expect((await short.images([asked(['red', 'blue'])], [encoded]))?.shape[0]).toBe(images || undefined);
  }
});

it('feeds the images of all samples, in their order', async () => {
  const all = await reader();
  const samples = [asked(['red', 'blue']), asked([]), asked(['green'])];
  const rows = samples.map(sample => all.encode(sample));
  const { data, shape } = (await all.feeds(samples, rows)).pixel_values;
  expect(shape[0]).toBe(3);
  const size = shape[1] * shape[2] * shape[3];
  for (const [i, colour] of ['red', 'blue', 'green'].entries()) {
    const single = (await all.images([asked([colour])], [all.encode(asked([colour]))]))!;
    expect(data.slice(i * size, (i + 1) * size)).toEqual(single.data);
  }
  expect((await all.feeds([samples[1]], [rows[1]])).pixel_values).toBeUndefined();
});
