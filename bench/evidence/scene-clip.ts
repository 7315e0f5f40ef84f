/**
 * @file What the shipped CLIP knows, with 95 % intervals over fresh scenes: naming among all concepts, retrieval among 100, which of two
 * objects is present, on the trained styles and on each style kept for testing. Control: chance. Writes Markdown and JSON.
 * usage: node --import tsx bench/evidence/scene-clip.ts [--model REF] [--samples N] [--output DIR]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readFloats } from '../../src/checkpoints/safetensors.ts';
import { CLIPModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { CONCEPTS } from '../../src/scenes/concepts.ts';
import { TEST_STYLES, TRAIN_STYLES } from '../../src/scenes/sprite-atlas.ts';
import { loadSprites } from '../../src/scenes/sprites.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { bootstrap } from '../../src/tensor/statistics/bootstrap.ts';
import { mean } from '../../src/tensor/statistics/descriptive.ts';
import { floats, type Tensor } from '../../src/tensor/tensor.ts';
import { compileEncoders, evaluateWorld } from '../../src/tuning/clip/evaluate.ts';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'scene-clip' },
    samples: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '20261125' },
    output: { type: 'string', default: 'out/evidence' },
    threads: { type: 'string', default: '2' },
  },
});
const samples = Number(flags.samples);
const seed = Number(flags.seed);
const runtime = nodeRuntime({ threads: Number(flags.threads) });
const model = await CLIPModel.fromPretrained(flags.model, { runtime });
const weights: Record<string, Tensor> = {};
for (const [name, entry] of model.checkpoint.entries) weights[name] = floats(entry.shape, await readFloats(entry));
const encoders = await compileEncoders(runtime, model.config);
const { image_mean: imageMean, image_std: imageStd } = model.processor.config;
const shape = { imageSize: model.config.vision_config.image_size, patchSize: model.config.vision_config.patch_size, imageMean, imageStd };

const random = new RandomStream(seed, 'evidence.bootstrap');
const show = (values: Float64Array): string => {
  const { estimate, low, high } = bootstrap([...values], mean, { random });
  return `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
};
const chance = { naming: 1 / CONCEPTS.length, naming5: 5 / CONCEPTS.length, retrieval: 0.01, presence: 0.5 };
const lines = ['| styles | naming among 400, top 1 | top 5 | retrieval among 100 | which of two is present |', '|---|---|---|---|---|'];
const results: Record<string, Record<string, number[]>> = {};
for (const styles of [TRAIN_STYLES, ...TEST_STYLES.map(s => [s])]) {
  const name = styles === TRAIN_STYLES ? 'trained (noto, twemoji, fluent flat)' : `${styles[0]} (unseen)`;
  const scores = await evaluateWorld(encoders, weights, { ...shape, world: await loadSprites({ styles }), seed, samples });
  results[name] = Object.fromEntries(Object.entries(scores).map(([key, values]) => [key, [...values]]));
  lines.push(`| ${name} | ${show(scores.naming)} | ${show(scores.naming5)} | ${show(scores.retrieval)} | ${show(scores.presence)} |`);
  console.error(lines.at(-1));
}
lines.push(
  `| chance | ${chance.naming.toFixed(3)} | ${chance.naming5.toFixed(3)} | ${chance.retrieval.toFixed(3)} | ${chance.presence.toFixed(3)} |`,
);
lines.push(
  '',
  `${samples} fresh scenes per measure (seed ${seed}); naming: one object; the others: two to four objects. 95 % bootstrap intervals over scenes.`,
);
mkdirSync(flags.output, { recursive: true });
writeFileSync(`${flags.output}/scene-clip.md`, `${lines.join('\n')}\n`);
writeFileSync(
  `${flags.output}/scene-clip.json`,
  JSON.stringify({ schemaVersion: 1, sha256: await model.sha256(), samples, seed, results }),
);
console.log(lines.join('\n'));
await model.release();
