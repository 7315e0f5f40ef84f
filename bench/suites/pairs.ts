/** @file Many pairs with M2IB's defaults: given together, as `--pairs` does, against one by one. Both maps, ViT-B/32's shape. */
import { M2IB } from '../../src/attribution/methods/m2ib.ts';
import type { Pair } from '../../src/attribution/pair.ts';
import { CLIPModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { interleave } from '../rounds.ts';
import type { Context, Suite, SuiteResult } from '../suite.ts';

const PAIRS = 8;
const CAPTIONS = ['a photo of a cat and a dog on grass', 'a red bus', 'two people on a beach at night', 'a bowl of fruit'];

/** Pairs of random pixels; other ones in each round, so that no store knows them. */
function pairsOf(size: number, round: number): Pair[] {
  const stream = new RandomStream(4, 'bench.pairs');
  return Array.from({ length: PAIRS }, (_, p) => {
    const words = stream.words(round + 2, p, new Uint32Array(size * size * 3));
    return { image: { width: size, height: size, data: Uint8Array.from(words, w => w & 255) }, text: CAPTIONS[p % CAPTIONS.length] };
  });
}

async function run(context: Context): Promise<SuiteResult> {
  const directory = await context.b32WithTokenizer();
  await using model = await CLIPModel.fromPretrained(directory, { runtime: nodeRuntime({ threads: context.threads }) });
  await using method = new M2IB(model);
  const size = model.config.vision_config.image_size;
  const timed = async (round: number, explain: (pairs: readonly Pair[]) => Promise<unknown>): Promise<number> => {
    const pairs = pairsOf(size, round);
    const start = performance.now();
    await explain(pairs);
    return (performance.now() - start) / 1000 / PAIRS;
  };
  const { together, ...rivals } = await interleave(
    [
      { name: 'together', run: round => timed(round, pairs => method.attributeAll(pairs)) },
      {
        name: 'one by one',
        run: round =>
          timed(round, async pairs => {
            for (const pair of pairs) await method.attribute(pair);
          }),
      },
    ],
    context,
  );
  const rows = [{ name: 'a pair, image and caption', unit: 's' as const, values: together, rivals }];
  const perSecond = (values: readonly number[]): string => (values.length / values.reduce((a, b) => a + b, 0)).toFixed(2);
  return {
    rows,
    notes: [`Pairs per second: ${perSecond(together)} together, ${perSecond(rivals['one by one'])} one by one; ${PAIRS} pairs a round.`],
  };
}

/** See the file's head. */
export const pairs: Suite = {
  name: 'pairs',
  about: "M2IB's defaults on eight pairs, given together against one by one. Timed: resizing, both towers, both maps.",
  run,
};
