/** @file Each method against the same one in captum or pytorch-grad-cam, same samples and steps, image map on ViT-B/32's shape. */
import { createMethod, findMethod } from '../../src/attribution/registry.ts';
import { CLIPModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { median } from '../../src/tensor/statistics/descriptive.ts';
import { Peer } from '../peer.ts';
import { interleave } from '../rounds.ts';
import { type Context, type Row, type Suite, type SuiteResult, skipped } from '../suite.ts';
import { b32Pair } from './b32-pair.ts';

/** The library that has the method, its number of samples or steps there, and our options that mean the same. */
const CASES: readonly { readonly method: string; readonly library: string; readonly n: number; readonly options?: object }[] = [
  { method: 'saliency', library: 'captum', n: 1 },
  { method: 'input-x-gradient', library: 'captum', n: 1 },
  { method: 'smoothgrad', library: 'captum', n: 20, options: { nSamples: 20 } },
  { method: 'integrated-gradients', library: 'captum', n: 20, options: { nSteps: 20 } },
  { method: 'layer-integrated-gradients', library: 'captum', n: 20, options: { nSteps: 20, layer: 8 } },
  { method: 'grad-cam', library: 'grad-cam', n: 1 },
  { method: 'hires-cam', library: 'grad-cam', n: 1 },
  { method: 'layer-cam', library: 'grad-cam', n: 1 },
  { method: 'xgrad-cam', library: 'grad-cam', n: 1 },
  { method: 'grad-cam-plus-plus', library: 'grad-cam', n: 1 },
  { method: 'occlusion', library: 'captum', n: 1 },
  // captum's permutations visit every player in turn: 4 × 49 pictures.
  { method: 'shapley', library: 'captum', n: 4, options: { samples: 4 * 49 } },
  { method: 'kernel-shap', library: 'captum', n: 200, options: { samples: 200 } },
  { method: 'lime', library: 'captum', n: 200, options: { samples: 200 } },
];

async function run(context: Context): Promise<SuiteResult> {
  if (!context.peer) return skipped('--peers is not given');
  const { threads, status } = context;
  const peer = await Peer.start(threads, 'attribution_torch.py');
  const directory = await context.b32WithTokenizer();
  await using model = await CLIPModel.fromPretrained(directory, { runtime: nodeRuntime({ threads }) });
  const { pair, ids, pixels } = await b32Pair(model, await context.scratch());
  await peer.load(directory);
  const rows: Row[] = [];
  try {
    for (const { method: name, library, n, options } of CASES) {
      const entry = findMethod(name);
      if (!entry) throw new Error(`The registry has no method "${name}".`);
      status(name);
      await using method = createMethod(entry, model, { ...options });
      const ours = async (round: number): Promise<number> => {
        // Another picture each round: methods that remove patches keep what they know of one.
        const data = pair.image.data.map((v, i) => (v + 31 * (round + 1) + (i % 7)) & 255);
        const { timings } = await method.attribute(
          { ...pair, image: { ...pair.image, data } },
          { modality: 'image', seed: Math.max(0, round) },
        );
        return Object.values(timings).reduce((a, b) => a + b, 0);
      };
      const command = { cmd: 'attribute', method: name, ids, pixels, n, per_eval: 20, layer: 9 };
      const sides = [
        { name: 'ours', run: ours },
        { name: library, run: () => peer.seconds(command) },
      ];
      const { ours: values, ...rivals } = await interleave(sides, context);
      rows.push({ name, unit: 's', values, rivals, aims: [{ rival: library, atLeast: 1 }], notes: n > 1 ? [`${n} samples or steps`] : [] });
    }
  } finally {
    peer.stop();
  }
  const ratios = rows.map(row => median(Object.values(row.rivals!)[0].map((v, i) => v / row.values[i])));
  return {
    rows,
    notes: [
      `Median over methods of the ratio library / ours: ${median(ratios).toFixed(2)} (aim 1.3); smallest ${Math.min(...ratios).toFixed(2)}.`,
    ],
  };
}

/** See the file's head. */
export const attributionPeers: Suite = {
  name: 'attribution-peers',
  about:
    "Image maps of one pair, ViT-B/32's shape, 12 tokens, against captum 0.9 and pytorch-grad-cam 1.5. Timed: both towers and the map.",
  run,
};
