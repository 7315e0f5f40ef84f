/** @file Runs a method of the registry on a question to a model that answers: the answer, its row, the jobs, seeds, and the record. */

import { checkpointHash } from '../../checkpoints/hash.ts';
import { streamAnswer } from '../../generation/answer-stream.ts';
import type { ChatModel } from '../../generation/chat-model.ts';
import { type GraphCache, GraphCachePool } from '../../graph/index.ts';
import { IMAGE_MARK } from '../../inputs/chat/messages.ts';
import { pictureWarnings } from '../../inputs/image/picture-warnings.ts';
import type { AnswerModel, AnswerPicture } from '../../models/answer-model.ts';
import type { Tower } from '../../models/dual-encoder.ts';
import { NarrowsError } from '../../system/errors.ts';
import { formatBytes } from '../../system/format.ts';
import { version } from '../../system/version.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import type { AttributeRun } from '../attributor.ts';
import { MAX_MEMORY } from '../memory.ts';
import { type AnswerForm, type MethodEntry, type MethodRun, methodOptions } from '../method.ts';
import { checkPixelValues, imageProvenance, type Pair } from '../pair.ts';
import type { AnswerAttribution } from '../result.ts';
import { checkSeeds, gatherWarnings, RunCounter } from '../run-frame.ts';
import { answerEncoder } from './answer-encoder.ts';
import { AnswerGames } from './answer-games.ts';
import { displayed, emptyRow, encodeRow, rowJob, sideJobs } from './answer-jobs.ts';
import { type SideMaps, splitMap, towerMap } from './answer-maps.ts';
import { answerResult } from './answer-result.ts';
import { type AnsweredRow, answeredRow } from './answer-row.ts';
import { type AnswerParts, type AnswerReduction, answerTarget, partsOf, targetTokens } from './answer-targets.ts';
import { keptOf } from './kept.ts';
import { gateAtTower, pictureTower, showsPatches, TOWER_LAYER } from './picture-tower.ts';
import { rowTower } from './row-tower.ts';

/** What a call may choose besides the method's options. */
export interface AnswerRun extends Pick<AttributeRun, 'modality' | 'seed' | 'seeds' | 'maxMemory' | 'signal' | 'onProgress' | 'onWarning'> {
  /** The answer whose probability is explained; the model's own greedy one by default. */
  readonly answer?: string;
  /** Explains the difference of the log-probabilities of the answer and this one. */
  readonly against?: string;
  /** Whether the whole answer's target is the sum or the mean of its tokens' log-probabilities; the sum by default. */
  readonly reduction?: AnswerReduction;
  /** A map for each word or token of the answer too, all in one batch; words by default. */
  readonly parts?: AnswerParts;
  /** Most tokens of the model's own answer; 64 by default. */
  readonly maxNewTokens?: number;
}

/** Tokens of an own answer at most. */
const MOST_TOKENS = 64;

/** Why a method cannot explain answers. */
export const noAnswers = (name: string): string =>
  `${name} explains image–caption pairs on a model that compares them, and this model answers questions; narrows methods lists the methods that explain answers.`;

const noPatches = (method: string, model: string): string =>
  `${method} reads the picture's tokens in the decoder, and ${model} compresses them, so that none shows a single patch; take m2ib (its gate then stands on the vision tower's output) or a method that erases patches, such as occlusion.`;

/** The model as answers are explained on it. @throws NarrowsError for a kind of model that cannot be */
export function answerModelOf(chat: ChatModel): AnswerModel {
  const { model } = chat;
  if ('answers' in model && typeof model.answers === 'function') return model.answers() as AnswerModel;
  throw new NarrowsError(`${chat.name} is of a kind whose answers cannot be explained; take a LLaVA.`);
}

/** @param pixels of the pair's own @throws NarrowsError where they do not fit */
function withPixels(picture: AnswerPicture, pixels: FloatTensor | undefined): AnswerPicture {
  if (!pixels) return picture;
  if (picture.layouts)
    throw new NarrowsError('This model makes tiles or patches of a picture by its size, so that it takes pictures and no pixel values.', {
      kind: 'usage',
    });
  const one = floats(picture.pixels.shape.slice(1), picture.pixels.data);
  checkPixelValues(pixels, { pixelValues: one, view: picture.view });
  return { ...picture, pixels: floats(picture.pixels.shape, pixels.data) };
}

/** @throws NarrowsError for a picture of more tiles than the memory allows */
function checkTiles(chat: ChatModel, model: AnswerModel, picture: AnswerPicture, most: number): void {
  const bytes = model.pictureBytes?.(picture) ?? 0;
  if (bytes <= most) return;
  const pieces = picture.layouts?.[0].pixels ?? 1;
  throw new NarrowsError(
    `The picture becomes ${pieces} tiles or patches for ${chat.name}, whose tower takes ${formatBytes(bytes)} at once, and --max-memory (maxMemory in the library) allows ${formatBytes(most)}; raise it, or give a smaller picture or rules in preprocessor_config.json that make fewer.`,
    { kind: 'usage' },
  );
}

/** A method on one model that answers. Compiled graphs are kept until `release`; the model stays open. */
export class AnswerAttributor<O = Record<string, unknown>> implements AsyncDisposable {
  readonly options: O;
  private readonly graphs = new GraphCachePool();
  private readonly form: AnswerForm<O>;

  /**
   * @param given options that differ from the defaults; undefined ones are unset
   * @throws NarrowsError for an option that is unknown or out of range, or a method that explains no answers
   */
  constructor(
    readonly entry: MethodEntry<O>,
    readonly chat: ChatModel,
    given: Record<string, unknown> = {},
  ) {
    if (!entry.answers) throw new NarrowsError(noAnswers(entry.name), { kind: 'usage' });
    this.form = entry.answers;
    const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    this.options = methodOptions(entry, { ...this.form.defaults?.(set), ...set });
  }

  /**
   * Explains one question, which is the pair's text.
   * @throws NarrowsError for bad input, an answer that the model cannot write, a model or options that the method cannot serve; the signal's
   *   reason when aborted
   */
  async attribute(pair: Pair, run: AnswerRun = {}): Promise<AnswerAttribution> {
    checkSeeds(run.seed ?? 0, run.seeds ?? 1);
    run.signal?.throwIfAborted();
    return this.graphs.use('row', graphs => this.explain(pair, run, graphs));
  }

  private async explain(pair: Pair, run: AnswerRun, graphs: GraphCache): Promise<AnswerAttribution> {
    const { entry, chat, options, form } = this;
    const { modality = 'both', seed = 0, seeds = 1, reduction = 'sum', parts: wish = 'word' } = run;
    const started = performance.now();
    const wanted = (modality === 'both' ? (['image', 'text'] as const) : [modality]).filter(m => entry.modalities.includes(m));
    if (wanted.length === 0)
      throw new NarrowsError(`${entry.name} makes no map of the ${modality}; it serves the ${entry.modalities.join(' and ')}.`, {
        kind: 'usage',
      });
    const { warn, warningsOf } = gatherWarnings(chat.warnings, run.onWarning);
    const model = answerModelOf(chat);
    const shown = chat.picture(pair.image);
    const picture = withPixels(model.readPicture(shown), pair.pixelValues);
    checkTiles(chat, model, picture, run.maxMemory ?? MAX_MEMORY);
    for (const warning of pictureWarnings(pair.image, picture.pixels)) warn(warning);
    const reason = form.unsupported?.(options, picture);
    if (reason) throw new NarrowsError(reason, { kind: 'usage' });
    const own = run.answer === undefined ? await this.ownAnswer(pair.text, picture, run, warn) : undefined;
    const texts = [run.answer ?? own!, ...(run.against === undefined ? [] : [run.against])];
    const row = answeredRow(chat, model, picture, pair.text, texts);
    const features = row.answers.reduce((sum, answer) => sum + answer.tokens.length, 0);
    const decoder = rowTower(model, picture, features);
    const atTower = form.gate === true && gateAtTower((options as { readonly layer: number | 'auto' }).layer, picture);
    const layer = atTower ? TOWER_LAYER : (form.layer?.(decoder, options) ?? -1);
    if (form.by === 'row' && !atTower && !showsPatches(picture))
      throw new NarrowsError(noPatches(entry.name, chat.name), { kind: 'usage' });
    if (atTower && !wanted.includes('image'))
      throw new NarrowsError("A gate on the vision tower's output makes no map of the question; leave --modality text out.", {
        kind: 'usage',
      });
    const tower = atTower ? pictureTower(model, model.vision!, picture, features) : decoder;
    const sides = atTower ? (['image'] as const) : wanted;
    const encoded = await encodeRow(row, tower, layer, graphs.keep, { signal: run.signal });
    const parts = partsOf(row, wish);
    const target = answerTarget(row, parts, reduction);
    const timings: Record<string, number> = { encode: (performance.now() - started) / 1000 };
    const counter = new RunCounter(entry.sampled ? seeds : 1, () => model.layers, run);
    const maps: SideMaps[][] = [];
    for (let s = 0; s < (entry.sampled ? seeds : 1); s++) {
      const counting = counter.forSeed(s);
      const common = { keep: graphs.keep, maxMemory: run.maxMemory ?? MAX_MEMORY, signal: run.signal, ...counting };
      const games = new AnswerGames(row, common);
      const job =
        form.by === 'row'
          ? rowJob(row, tower, encoded, {
              ...{ layer, target },
              players: atTower
                ? picture.towerCells!.flatMap((cells, i) => (cells.length ? [i] : []))
                : [...(wanted.includes('image') ? row.imageTokens : []), ...(wanted.includes('text') ? row.wordTokens : [])],
              readFrom: targetTokens(row, parts).map(tokens => tokens.map(k => row.answers[0].tokens[k].from)),
              nothing: () => this.nothing(row, tower, layer, graphs, target.vectors.shape[0], warn),
            })
          : undefined;
      const jobs = job ? { image: job, text: job } : sideJobs(row, tower, encoded, target);
      const work: MethodRun = {
        ...common,
        ...jobs,
        model: answerEncoder(chat, tower),
        encoded: displayed(row, pair, target.vectors.shape[0]),
        wanted: job ? [job.modality] : wanted,
        seed: seed + s,
        timings,
        games: (side, of, p, players, removal) => games.game(side, of, p, players, removal),
        warn,
      };
      const made = await (form.explain ?? entry.explain).call(entry, work, options);
      maps.push(
        Array.from({ length: target.vectors.shape[0] }, (_, p) =>
          atTower
            ? { image: towerMap(row, made.image![p]) }
            : job
              ? splitMap(row, made.text![p])
              : { image: made.image?.[p], text: made.text?.[p] },
        ),
      );
      timings.explain = (performance.now() - started) / 1000 - timings.encode;
      run.signal?.throwIfAborted();
    }
    const kept = entry.family === 'bottleneck' ? await keptOf(chat, row, warn) : undefined;
    const { passes } = counter;
    const values = { logProbabilities: encoded.logProbabilities, target, parts, maps, kept, passes };
    const made = answerResult(entry, row, { pair, shown, wanted: sides, seed, ...values });
    const [first] = row.answers;
    return {
      ...made,
      answer: { ...made.answer, own: own !== undefined, reduction, text: first.text },
      parameters: {
        ...(options as object),
        ...(form.layer ? { layer } : {}),
        ...{ seed, seeds, modality, reduction, parts: wish },
        ...(run.answer === undefined ? {} : { answer: run.answer }),
        ...(run.against === undefined ? {} : { against: run.against }),
        chat: { template: chat.template.name },
      },
      provenance: {
        narrows: version,
        runtime: `${model.runtime.name} ${model.runtime.version}`,
        model: { name: chat.name, sha256: await checkpointHash(chat.model.parts.checkpoint) },
        image: imageProvenance(pair, shown),
        createdAt: new Date().toISOString(),
      },
      ...warningsOf(0),
      timings,
    };
  }

  /** @throws NarrowsError where the model says nothing */
  private async ownAnswer(question: string, picture: AnswerPicture, run: AnswerRun, warn: (message: string) => void): Promise<string> {
    const { chat } = this;
    const most = run.maxNewTokens ?? MOST_TOKENS;
    const { pixels, layouts } = picture;
    const prompt = chat.prompt([{ role: 'user', content: `${IMAGE_MARK}\n${question}` }], layouts ? { ...pixels, layouts } : pixels);
    const options = chat.options({ maxNewTokens: most, temperature: 0, signal: run.signal });
    const answer = streamAnswer(chat.model, prompt, options);
    let next = await answer.next();
    while (!next.done) next = await answer.next();
    const { text, finish } = next.value;
    if (text.trim() === '')
      throw new NarrowsError(
        `${chat.name} ends its answer to ${JSON.stringify(question)} before the first word, so there is none to explain; give one (--answer, answer in the library).`,
      );
    if (finish === 'length') warn(`The model's answer was cut after ${most} tokens; what is explained is the answer so far.`);
    return text.trim();
  }

  private async nothing(row: AnsweredRow, tower: Tower, layer: number, graphs: GraphCache, count: number, warn: (message: string) => void) {
    const { tokenizer } = this.chat;
    const filler = tokenizer.padId ?? tokenizer.unknownId ?? tokenizer.eosId;
    if (filler === undefined)
      throw new NarrowsError(
        `The tokenizer of ${this.chat.name} names no padding, unknown or end token, of which an empty question could be made; take the baseline "zero".`,
      );
    if (tokenizer.padId === undefined)
      warn(`The tokenizer names no padding token; the baseline's question is made of ${JSON.stringify(tokenizer.textOf(filler))}.`);
    const { data, shape } = await emptyRow(row, tower, layer, graphs.keep, filler);
    const all = new Float32Array(data.length * count);
    for (let p = 0; p < count; p++) all.set(data, p * data.length);
    return { dtype: 'float32', shape: [count, ...shape.slice(1)], data: all } as const;
  }

  /** Closes the compiled graphs. */
  release(): Promise<void> {
    return this.graphs.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
