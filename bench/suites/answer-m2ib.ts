/** @file M2IB on an answer of five tokens of the scenes' small LLaVA, a map for each token, against the same written plainly in PyTorch. */
import { join } from 'node:path';
import { encodeRow, rowJob } from '../../src/attribution/answers/answer-jobs.ts';
import type { AnsweredRow } from '../../src/attribution/answers/answer-row.ts';
import { answerTarget } from '../../src/attribution/answers/answer-targets.ts';
import { rowTower } from '../../src/attribution/answers/row-tower.ts';
import type { MethodRun } from '../../src/attribution/method.ts';
import { explainByGate } from '../../src/attribution/primitives/gate.ts';
import { writeSafetensors } from '../../src/checkpoints/write.ts';
import { compile, GraphCache, input } from '../../src/graph/index.ts';
import { LlavaModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { median } from '../../src/tensor/statistics/descriptive.ts';
import { floats, ints } from '../../src/tensor/tensor.ts';
import { Peer } from '../peer.ts';
import { writeSmallLlava } from '../random-llava.ts';
import { clock, interleave, type Side } from '../rounds.ts';
import type { Context, Row, Suite, SuiteResult } from '../suite.ts';

const STEPS = 10;
const SAMPLES = 2;
const ANSWER = 5;
const WORDS = 8;
/** At the embeddings the whole decoder runs at every step; on block 1 of 4 half of it. */
const LAYERS = [-1, 1];

async function run(context: Context): Promise<SuiteResult> {
  const { threads, status } = context;
  const scratch = await context.scratch();
  const directory = join(scratch, 'small-llava');
  const config = await writeSmallLlava(directory);
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
  const peer = context.peer && (await Peer.start(threads, 'llava_torch.py'));
  const rows: Row[] = [];
  await using graphs = new GraphCache();
  try {
    for (const layer of LAYERS) {
      status(`gate at layer ${layer}`);
      const tower = rowTower(answers, picture, ANSWER);
      const encoded = await encodeRow(row, tower, layer, graphs.keep);
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
        maxMemory: 2 ** 31,
        seed: 0,
        model: { runtime },
      } as unknown as MethodRun;
      const settings = { beta: 10, steps: STEPS, learningRate: 1, batchSize: SAMPLES, variance: 0.3, normalisation: 'sample' } as const;
      const explain = () => explainByGate(work, job, { ...settings, antithetic: true, perToken: false, official: false });
      const hidden = input('hidden', ['batch', 'seq', answers.width]);
      await using forward = await compile(runtime, { features: tower.suffix(layer, hidden, 1, job.inputs) });
      const pass = () => forward.run({ ...job.inputs, hidden: job.hidden });
      const command = {
        cmd: 'answer_m2ib',
        directory,
        inputs,
        image: imageTokens,
        words: wordTokens,
        answer: tokens.map(({ at }) => at),
        layer,
        steps: STEPS,
        samples: SAMPLES,
      };
      await explain();
      const sides: Side[] = [
        { name: 'ours', run: () => clock(explain) },
        { name: 'one forward pass', run: () => clock(pass) },
      ];
      if (peer) sides.push({ name: 'PyTorch', run: () => peer.seconds(command) });
      const { ours: values, ...rivals } = await interleave(sides, context);
      const passes = median(values) / median(rivals['one forward pass']);
      rows.push({
        ...{ name: `five maps, gate at layer ${layer}`, unit: 's', values, rivals },
        aims: [{ rival: 'PyTorch', atLeast: 2 }],
        notes: [`${passes.toFixed(1)} forward passes of the suffix over five rows (the issue asks for 40 at most).`],
      });
    }
  } finally {
    peer?.stop();
  }
  return {
    rows,
    notes: [`Random weights; ${images} image tokens, ${WORDS} words, ${ANSWER} answer tokens; ${STEPS} steps of ${SAMPLES} samples.`],
  };
}

/** See the file's head. */
export const answerM2ib: Suite = {
  name: 'answer-m2ib',
  about: `M2IB on an answer of ${ANSWER} tokens, a map for each: our batch over the suffix against five optimisations in PyTorch, whole decoder, no gradient of a weight.`,
  run,
};
