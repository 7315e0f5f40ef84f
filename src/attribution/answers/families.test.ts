/** Every method for answers on a tiny checkpoint of each family that makes tiles or patches of a picture. */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ChatModel } from '../../generation/pretrained.ts';
import { FAMILY_GOLDENS, familyDirectory } from '../../generation/testing/family-goldens.ts';
import { IMAGE_MARK } from '../../inputs/chat/messages.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import type { LlavaModel } from '../../models/llava/model.ts';
import type { Pictured } from '../../models/llava/pictures.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { ints } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { answerMethods, findMethod } from '../registry.ts';
import { explainSubject } from '../subject.ts';
import { answerModelOf } from './answer-attributor.ts';
import { answeredRow } from './answer-row.ts';

/** Folders of src/models, with the picture that is asked about. */
const FAMILIES = [
  ['smolvlm/testdata/smolvlm-tiny', 'picture-0-1.png'],
  ['llava-next/testdata/onevision-tiny', 'picture-2-0.png'],
  ['qwen2-vl/testdata/qwen2-vl-tiny', 'picture-2-0.png'],
  ['qwen2-vl/testdata/qwen2.5-vl-tiny-bf16', 'picture-0-1.png'],
] as const;
/** Settings that make a method cheap; no other says anything of a family. */
const CHEAP: Readonly<Record<string, object>> = {
  m2ib: { steps: 2 },
  rise: { samples: 8 },
  lime: { samples: 40 },
  'kernel-shap': { samples: 400 },
  shapley: { samples: 40 },
  banzhaf: { samples: 200 },
  smoothgrad: { nSamples: 2 },
};

const runtime = nodeRuntime({ threads: 1 });
const models = new Map<string, Promise<ChatModel>>();
const open = (name: string): Promise<ChatModel> => {
  const found = models.get(name) ?? ChatModel.open(familyDirectory(name), { runtime });
  models.set(name, found);
  return found;
};
afterAll(async () => {
  for (const model of models.values()) await (await model).release();
});

const QUESTION = 'a cat?';
const pairOf = async (name: string) => ({
  image: await decodeImage(join(familyDirectory(name), new Map<string, string>(FAMILIES).get(name)!)),
  text: QUESTION,
});

/** Log-probability of an answer by a plain forward pass, some cells of the picture erased. */
async function plain(name: string, answer: string, erased: ReadonlySet<number> = new Set()): Promise<number> {
  const chat = await open(name);
  const model = answerModelOf(chat);
  const picture = model.readPicture((await pairOf(name)).image);
  const row = answeredRow(chat, model, picture, QUESTION, [answer]);
  const data = picture.pixels.data.map((v, i) => (erased.has(picture.pixelCells[i]) ? 0 : v));
  const pixelValues: Pictured = { ...picture.pixels, data, layouts: picture.layouts };
  const { logits } = await (chat.model as LlavaModel).forward({ inputIds: ints([1, row.ids.length], [...row.ids]), pixelValues });
  const vocabulary = logits.shape[2];
  return row.answers[0].tokens.reduce((sum, { id, at }) => {
    const scores = Array.from(logits.data.subarray((at - 1) * vocabulary, at * vocabulary));
    return sum + scores[id] - Math.log(scores.reduce((s, v) => s + Math.exp(v), 0));
  }, 0);
}

describe.each(FAMILIES.map(([name]) => name))('%s', name => {
  const explain = async (method: string, options: object = {}) =>
    explainSubject(
      findMethod(method)!,
      { kind: 'question', model: await open(name), pair: await pairOf(name) },
      { ...options },
      { answer: 'no' },
    );

  it('gives every cell a token, every token of the picture its cells, and every pixel at most one cell', async () => {
    const chat = await open(name);
    const { image } = await pairOf(name);
    const { grid, tokenCells, pixelCells, pixels, view, layouts } = answerModelOf(chat).readPicture(image);
    const cells = grid[0] * grid[1];
    const ids = chat.encoded([{ role: 'user', content: `${IMAGE_MARK}\n${QUESTION}` }], { pictures: { layouts } }).ids;
    expect(ids.filter(id => id === chat.model.config.image_token_index).length).toBe(tokenCells.length);
    expect(new Set(tokenCells.flat()).size).toBe(cells);
    expect([Math.min(...pixelCells), Math.max(...pixelCells)]).toEqual([expect.any(Number), cells - 1]);
    expect(pixelCells.length).toBe(pixels.data.length);
    expect([view.width, view.height]).toEqual([image.width, image.height].map(n => expect.closeTo(n, 0)));
  });

  it('scores and erases as a plain forward pass does', async () => {
    const [whole, occluded] = [await explain('uniform'), await explain('occlusion', { window: 1 })];
    const score = await plain(name, 'no');
    expectClose([whole.image!.score!], [score], { rtol: 1e-4 });
    // The map's cell is what erasing that cell's pixels costs.
    const { patches } = occluded.image!;
    for (const cell of [0, patches.length - 2]) expect(patches[cell]).toBeCloseTo(score - (await plain(name, 'no', new Set([cell]))), 3);
  });

  it.each(answerMethods().map(({ name: method }) => method))('is served by %s, or refused by it in a sentence', async method => {
    if (method === 'image-gradient-magnitude') return expect(explain(method)).rejects.toThrow('cuts it into tiles; take another control');
    const { image, text } = await explain(method, CHEAP[method]);
    for (const map of [image?.patches, text?.tokens.map(token => token.value)])
      if (map) expect([...map].every(Number.isFinite), method).toBe(true);
    expect(image ?? text).toBeDefined();
  });
});

it.each(FAMILY_GOLDENS)('more tiles of %s than the memory allows are refused in one sentence', async name => {
  const image = await decodeImage(join(familyDirectory(name), 'picture-2-0.png'));
  const subject = { kind: 'question', model: await open(name), pair: { image, text: QUESTION } } as const;
  const run = explainSubject(findMethod('uniform')!, subject, {}, { answer: 'no', maxMemory: 1000 });
  await expect(run).rejects.toThrow(/^The picture becomes \d+ tiles or patches for .* allows [^;]+; raise it, or/);
});
