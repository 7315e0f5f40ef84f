/** @file One forward pass over copies of a row of random weights, for `forward-memory.ts`. usage: … KIND MODEL SIZE ROWS OUT.json */
import { writeFileSync } from 'node:fs';
import { forwardGraph } from '../../src/attribution/answers/answer-games.ts';
import type { AnsweredRow } from '../../src/attribution/answers/answer-row.ts';
import { answerSelection } from '../../src/attribution/answers/row-tower.ts';
import { LlavaModel, loadModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { floats, type Tensor } from '../../src/tensor/tensor.ts';

/** What ran. */
export interface Shape {
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** Values of a row's picture. */
  readonly pixels: number;
}

const runtime = nodeRuntime({ threads: 1 });

/** A question of `words` words about a picture, and an answer of one token; every row has its own picture. */
async function answer(directory: string, words: number, rows: number): Promise<Shape> {
  await using model = await LlavaModel.fromPretrained(directory, { runtime });
  const answers = model.answers();
  const { image_size: side } = model.config.vision_config;
  const picture = answers.readPicture({ width: side, height: side, data: new Uint8Array(side * side * 3) });
  const images = picture.tokenCells.length;
  const ids = [1, ...Array<number>(images).fill(model.config.image_token_index), ...Array.from({ length: words }, (_, i) => 5 + i)];
  const at = ids.length - 1;
  const turns = ids.map((_, i) => Number(i === at));
  const { feeds: one, imageTokens } = answers.placeRow(ids, turns, picture);
  const token = { id: ids[at], text: '', special: false, start: 0, end: 1, at, from: at - 1 };
  const row: AnsweredRow = {
    ...{
      model: answers,
      picture,
      question: '',
      ids,
      turns,
      feeds: one,
      promptTokens: [],
      imagePlaces: imageTokens,
      imageTokens,
      wordTokens: [],
    },
    answers: [{ text: 'a', tokens: [token] }],
  };
  await using graph = await forwardGraph(row);
  const { feeds, pictureFeeds } = answers.placeRow(ids, turns, picture, rows);
  const repeated = (tensor: Tensor): Tensor => {
    const data = Array.from({ length: rows }, () => Array.from(tensor.data as ArrayLike<number>)).flat();
    return {
      ...tensor,
      shape: [rows, ...tensor.shape.slice(1)],
      data: tensor.dtype === 'float32' ? Float32Array.from(data) : Int32Array.from(data),
    };
  };
  const { answer_select, answer_ids } = answerSelection(row);
  const pixels = picture.pixels.data.length;
  const [, ...shape] = picture.pixels.shape;
  await graph.run({
    ...{ ...feeds, ...pictureFeeds, pixel_values: floats([rows, ...shape], new Float32Array(rows * pixels)) },
    ...{ answer_select: repeated(answer_select), answer_ids: repeated(answer_ids) },
  });
  return { tokens: ids.length, width: answers.width, heads: answers.heads, layers: answers.layers, pixels };
}

/** Pictures of `side` pixels through a CLIP's tower. */
async function tower(directory: string, side: number, rows: number): Promise<Shape> {
  await using model = await loadModel(directory, { runtime });
  const pixels = 3 * side * side;
  await model.imageFeatures(floats([rows, 3, side, side], new Float32Array(rows * pixels)));
  const { image } = model;
  const [height, width] = image.grid!(side, side);
  return { tokens: image.prefixTokens + height * width, width: image.width, heads: image.heads, layers: image.layers, pixels };
}

const [kind, directory, size, rows, out] = process.argv.slice(2);
if (out) writeFileSync(out, JSON.stringify(await (kind === 'answer' ? answer : tower)(directory, Number(size), Number(rows))));
