/**
 * @file M2IB on an answer of five tokens, a map for each token, against the same written plainly in PyTorch: on the scenes' small LLaVA, and on one
 * whose decoder has Qwen2-0.5B's shape.
 */
import { join } from 'node:path';
import { encodeRow, rowJob } from '../../src/attribution/answers/answer-jobs.ts';
import type { AnsweredRow } from '../../src/attribution/answers/answer-row.ts';
import { answerTarget } from '../../src/attribution/answers/answer-targets.ts';
import { rowTower } from '../../src/attribution/answers/row-tower.ts';
import type { MethodRun } from '../../src/attribution/method.ts';
import { explainByGate } from '../../src/attribution/primitives/gate.ts';
import { writeSafetensors } from '../../src/checkpoints/write.ts';
import { compile, GraphCache, input } from '../../src/graph/index.ts';
import type { LlavaConfig } from '../../src/models/llava/config.ts';
import { LlavaModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { median } from '../../src/tensor/statistics/descriptive.ts';
import { floats, ints } from '../../src/tensor/tensor.ts';
import { Peer } from '../peer.ts';
import { QWEN_LLAVA, writeQwenLlava, writeSmallLlava } from '../random-llava.ts';
import { clock, interleave, type Side } from '../rounds.ts';
import type { Context, Row, Suite, SuiteResult } from '../suite.ts';

const FORWARD = 'a forward pass of the suffix';
const BY_DEFAULT = 'ours, as it is by default';
const SPARING = 'a pass that spares rows of the last block as ours does';
const SAMPLES = 2;
const ANSWER = 5;
const WORDS = 8;
/** Steps that the bound on forward passes is meant for. */
const WHOLE = 10;

/** A model and the gates that are timed on it. */
interface Case {
  readonly write: (directory: string) => Promise<LlavaConfig>;
  /** Blocks behind which the gate stands; at the embeddings (−1) the whole decoder runs at every step. */
  readonly layers: readonly number[];
  /** Of both sides; fewer than `WHOLE` where one takes long, as each costs the same. */
  readonly steps: number;
  /** Forward passes that are timed together: a single short one is mostly noise. */
  readonly together: number;
  /** PyTorch's side ends before our forward passes are timed: all graphs of a large decoder and PyTorch do not fit in 24 GB together. */
  readonly apart?: boolean;
}

async function run({ write, layers, steps, together, apart = false }: Case, context: Context): Promise<SuiteResult> {
  const { threads, status } = context;
  const scratch = await context.scratch();
  const directory = join(scratch, 'llava');
  status('  writing random weights');
  const config = await write(directory);
  const runtime = nodeRuntime({ threads });
  await using model = await LlavaModel.fromPretrained(directory, { runtime });
  const answers = model.answers();
  const { image_size: size } = config.vision_config;
  const seen = answers.readPicture({ width: size, height: size, data: new Uint8Array(size * size * 3) });
  const pixels = new RandomStream(0, 'bench.answer.pixels').normals(0, 0, new Float32Array(seen.pixels.data.length));
  const picture = { ...seen, pixels: floats(seen.pixels.shape, pixels) };
  const reader = new RandomStream(0, 'bench.answer.ids').reader(0, 0);
  const word = (): number => 5 + reader.integer(config.text_config.vocab_size - 5);
  const images = picture.tokenCells.length;
  const ids = [1, ...Array<number>(images).fill(config.image_token_index), ...Array.from({ length: WORDS + ANSWER }, word)];
  const first = ids.length - ANSWER;
  const turns = ids.map((_, i) => (i < first ? 0 : 1));
  const { feeds, imageTokens } = answers.placeRow(ids, turns, picture);
  const token = (at: number) => ({ id: ids[at], text: '', special: false, start: at - first, end: at - first + 1, at, from: at - 1 });
  const tokens = Array.from({ length: ANSWER }, (_, k) => token(first + k));
  const wordTokens = Array.from({ length: WORDS - 1 }, (_, i) => 1 + images + i);
  const row: AnsweredRow = {
    ...{ model: answers, picture, question: '', ids, turns, feeds, promptTokens: [], imagePlaces: imageTokens, imageTokens, wordTokens },
    answers: [{ text: 'abcde', tokens }],
  };
  const inputs = join(scratch, 'answer.safetensors');
  await writeSafetensors(inputs, { input_ids: ints([1, ids.length], ids), pixel_values: picture.pixels });
  const startPeer = async () => context.peer && (await Peer.start(threads, 'llava_torch.py'));
  let peer: Peer | undefined;
  const rows: Row[] = [];
  await using graphs = new GraphCache();
  try {
    for (const layer of layers) {
      status(`gate at layer ${layer}`);
      peer ??= await startPeer();
      const tower = rowTower(answers, picture, ANSWER);
      const encode = () => encodeRow(row, tower, layer, graphs.keep);
      const encoded = await encode();
      const whole = answerTarget(
        row,
        tokens.map((_, k) => ({ text: '', start: k, end: k + 1, tokens: [k] })),
        'sum',
      );
      // The maps of the tokens alone, without that of the whole answer.
      const target = { ...whole, vectors: floats([ANSWER, 1, ANSWER], whole.vectors.data.slice(ANSWER)) };
      const players = [...imageTokens, ...wordTokens];
      const nothing = () => Promise.reject(new Error('no baseline is asked for'));
      const job = rowJob(row, tower, encoded, { layer, target, players, readFrom: tokens.map(({ from }) => [from]), nothing });
      const work = {
        keep: graphs.keep,
        advance() {},
        passes() {},
        maxMemory: 2 ** 34,
        seed: 0,
        model: { runtime },
      } as unknown as MethodRun;
      const settings = { beta: 10, steps, learningRate: 1, batchSize: SAMPLES, variance: 0.3, normalisation: 'sample' } as const;
      const explain = () => explainByGate(work, job, { ...settings, antithetic: true, perToken: false, official: false });
      // Twelve steps, the first eight without noise: sixteen passes in place of twenty.
      const byDefault = {
        ...settings,
        steps: 12,
        learningRate: 2,
        learningRateSchedule: 'linear',
        quietSteps: 8,
        antithetic: true,
        perToken: false,
        official: false,
      } as const;
      const command = {
        cmd: 'answer_m2ib',
        directory,
        inputs,
        image: imageTokens,
        words: wordTokens,
        answer: tokens.map(({ at }) => at),
        layer,
        steps,
        samples: SAMPLES,
      };
      const each = async (work: () => Promise<unknown>): Promise<number> =>
        (await clock(async () => {
          for (let i = 0; i < together; i++) await work();
        })) / together;
      // PyTorch's clock runs from the undisturbed pass on, too; the steps by themselves are what passes are counted of.
      const optimised: number[] = [];
      const asDefault: number[] = [];
      const ours: Side = {
        name: 'ours',
        async run(round) {
          const before = await clock(encode);
          const after = await clock(explain);
          if (round >= 0) optimised.push(after);
          return before + after;
        },
      };
      const torch: Side[] = peer ? [{ name: 'PyTorch', run: () => peer!.seconds(command) }] : [];
      const versus = apart ? await interleave([ours, ...torch], context) : undefined;
      if (apart) {
        peer?.stop();
        peer = undefined;
        optimised.length = 0;
      }
      const hidden = input('hidden', ['batch', 'seq', answers.width]);
      await using forward = await compile(runtime, { features: tower.suffix(layer, hidden, 1, job.inputs) });
      const pass = () => forward.run({ ...job.inputs, hidden: job.hidden });
      // As anyone would run it: a tap sees every row of the last block, too.
      await using plain = await compile(runtime, { features: tower.suffix(layer, hidden, 1, job.inputs, { tap: (_, output) => output }) });
      const sides: Side[] = [
        ours,
        { name: FORWARD, run: () => each(() => plain.run({ ...job.inputs, hidden: job.hidden })) },
        { name: SPARING, run: () => each(pass) },
      ];
      const byDefaultSide: Side = {
        name: BY_DEFAULT,
        async run(round) {
          const before = await clock(encode);
          const after = await clock(() => explainByGate(work, job, byDefault));
          if (round >= 0) asDefault.push(after);
          return before + after;
        },
      };
      const { ours: again, ...passing } = await interleave([...sides, ...(apart ? [] : [byDefaultSide, ...torch])], context);
      // Two graphs of steps over a large decoder do not fit side by side: the second is timed against forward passes in rounds of its own.
      if (apart) await graphs.release();
      const later = apart ? await interleave([byDefaultSide, sides[1]], context) : passing;
      const passes = (times: readonly number[], against: readonly number[], share = 1): number =>
        median(times.map((seconds, i) => (seconds / against[i]) * share));
      const [whole10, sparing10] = [FORWARD, SPARING].map(name => passes(optimised, passing[name], WHOLE / steps));
      const usual = passes(asDefault, later[FORWARD]);
      // What was timed in other rounds is no rival of these.
      const { ours: values, ...rivals } = versus ?? { ours: again, ...passing };
      rows.push({
        ...{ name: `five maps, gate at layer ${layer}`, unit: 's', values, rivals },
        aims: [{ rival: 'PyTorch', atLeast: 2 }],
        notes: [
          `Ten noisy steps cost ${whole10.toFixed(1)} forward passes of the suffix over five rows, or ${sparing10.toFixed(1)} of passes that spare what ours spares (aim: 40 at most).`,
          `Twelve steps at a falling rate, eight of them without noise, as by default: ${usual.toFixed(1)}.`,
          ...(context.peer && versus
            ? [
                `A map by default (${median(later[BY_DEFAULT]).toFixed(1)} s) against ten steps of PyTorch: ${((passes(versus.PyTorch, versus.ours) * whole10) / usual).toFixed(1)} times as fast, by the ratios above (not timed in the same rounds).`,
              ]
            : []),
        ],
      });
    }
  } finally {
    peer?.stop();
  }
  return {
    rows,
    notes: [`Random weights; ${images} image tokens, ${WORDS} words, ${ANSWER} answer tokens; ${steps} steps of ${SAMPLES} samples.`],
  };
}

const about = (model: string): string =>
  `M2IB on an answer of ${ANSWER} tokens of ${model}, a map for each: our batch over the suffix against five optimisations in PyTorch, whole decoder, no gradient of a weight.`;

/** The shape that the scenes' experiments train: half of it above a gate on block 1. */
export const answerM2ib: Suite = {
  name: 'answer-m2ib',
  about: about("the scenes' small LLaVA"),
  run: context => run({ write: writeSmallLlava, layers: [-1, 1], steps: WHOLE, together: 20 }, context),
};

/** Qwen2-0.5B's decoder, at the default's place. Minutes a round: a step over it is ten rows forward and backward; graphs of a second gate would not fit. */
export const answerM2ibQwen: Suite = {
  name: 'answer-m2ib-0.5b',
  about: about("a LLaVA with Qwen2-0.5B's decoder"),
  run: context => run({ write: writeQwen, layers: [-1], steps: 2, together: 1, apart: true }, context),
};

async function writeQwen(directory: string): Promise<LlavaConfig> {
  await writeQwenLlava(directory);
  return QWEN_LLAVA;
}
