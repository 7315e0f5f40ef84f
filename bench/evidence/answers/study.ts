/** @file What all parts of the study of answers share: the model, finished cells on the disk, questions with the place of the thing asked for. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { AnswerAttributor } from '../../../src/attribution/answers/answer-attributor.ts';
import type { MethodEntry } from '../../../src/attribution/method.ts';
import { findMethod } from '../../../src/attribution/registry.ts';
import { checkpointHash } from '../../../src/checkpoints/hash.ts';
import type { AskedQuestion } from '../../../src/evaluation/answers/sample.ts';
import { sceneSet } from '../../../src/evaluation/benchmarks/scenes/world.ts';
import { ChatModel } from '../../../src/generation/pretrained.ts';
import { GraphCache } from '../../../src/graph/index.ts';
import { CellStore } from '../../../src/jobs/store.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { existence } from '../../../src/scenes/instructions.ts';
import type { Scene } from '../../../src/scenes/scene.ts';

/** Figures of one cell; null where a metric is not defined. */
export type Figures = Record<string, number | string | null>;

/** What is explained: log p(yes) − log p(no). */
export const VALUES = { answer: 'yes', against: 'no', parts: 'none' } as const;

/** A question of the scenes that the model answers rightly with yes. */
export interface Case extends AskedQuestion {
  readonly truth: Uint8Array;
}

/** A number as a cell keeps it: seven digits, far below any interval. */
export const kept = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? Number(value.toPrecision(7)) : null;

const boxMask = ({ width, height }: Scene, { left, top, width: w, height: h }: Scene['objects'][number]['box']): Uint8Array =>
  Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return Number(x >= left && x < left + w && y >= top && y < top + h);
  });

/** An open study: one model, one file of finished cells, so that a stopped run goes on. */
export class Study implements AsyncDisposable {
  readonly graphs = new GraphCache();
  private readonly plain: AnswerAttributor;

  private constructor(
    readonly chat: ChatModel,
    readonly hash: string,
    readonly seed: number,
    readonly store: CellStore<Figures>,
  ) {
    this.plain = new AnswerAttributor(findMethod('uniform') as MethodEntry, chat);
  }

  /** @param place folder of the cells; the file that they begin with where it has none; whether they are only read */
  static async open(model: string, seed: number, place: { output: string; from: string; tables: boolean }): Promise<Study> {
    mkdirSync(place.output, { recursive: true });
    const cells = join(place.output, 'answers-cells.jsonl');
    if (!existsSync(cells) && existsSync(place.from)) writeFileSync(cells, gunzipSync(readFileSync(place.from)));
    const chat = await ChatModel.open(model, { runtime: nodeRuntime({ threads: 1 }) });
    const schema = z.record(z.string(), z.union([z.number(), z.string(), z.null()]));
    const store = await CellStore.open(cells, {
      ...{ kind: 'answers-evidence', version: 2, schema, readOnly: place.tables },
      onWarning: message => console.error(message),
    });
    return new Study(chat, await checkpointHash(chat.model.parts.checkpoint), seed, store);
  }

  /** The cell's figures: those of the disk, or computed and written there. @param key of what determines them besides model and seed */
  async cell(key: readonly (string | number)[], compute: () => Promise<Figures>): Promise<Figures> {
    const name = this.keyOf(key);
    const known = this.store.result(name);
    if (known) return known;
    const result = await compute();
    await this.store.put(name, { result });
    return result;
  }

  /** A finished cell, or undefined. */
  done(key: readonly (string | number)[]): Figures | undefined {
    return this.store.result(this.keyOf(key));
  }

  private keyOf(key: readonly (string | number)[]): string {
    return [this.hash.slice(0, 12), this.seed, ...key].join('|');
  }

  /** log p(yes) − log p(no), and log p(yes). */
  async margin(pair: AskedQuestion['pair']): Promise<{ margin: number; yes: number }> {
    const { image, answer } = await this.plain.attribute(pair, { ...VALUES, modality: 'image' });
    return { margin: kept(image!.score)!, yes: kept(answer.tokens[0].logProbability)! };
  }

  /** Questions whether a thing that is there is there, which the model answers with yes; the first `count` of them. */
  async *cases(count: number): AsyncGenerator<Case> {
    const set = sceneSet('answers', this.seed, 4 * count + 40, { least: 3, most: 4 });
    let found = 0;
    for (let i = 0; i < set.things.length && found < count; i++) {
      const known = this.done(['asked', i]);
      if (known && !(Number(known.margin) > 0)) continue;
      const scene = await set.draw(i);
      const [thing, other] = scene.objects;
      const pair = { image: scene.image, text: existence(thing.concept, true).question };
      const { margin } = await this.cell(['asked', i], () => this.margin(pair));
      if (!(Number(margin) > 0)) continue;
      found++;
      const otherQuestion = existence(other.concept, true).question;
      const place = { truth: boxMask(scene, thing.box), size: [scene.height, scene.width] as const };
      yield { ...{ pair, answer: 'yes', against: 'no', otherQuestion, key: i }, ...place };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.plain.release();
    await this.graphs.release();
    await this.store.close();
    await this.chat.release();
  }
}
