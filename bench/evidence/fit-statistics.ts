/**
 * @file Fits a model's feature statistics on scenes, for `normalisation: 'dataset'`, and writes them beside its weights.
 * usage: node --import tsx bench/evidence/fit-statistics.ts [--model REF] [--samples N]
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { featureStatistics, STATISTICS_FILE } from '../../src/attribution/feature-statistics.ts';
import { saveStatistics } from '../../src/attribution/save-statistics.ts';
import { CLIPModel } from '../../src/models/pretrained.ts';
import { caption } from '../../src/scenes/captions.ts';
import { drawScene } from '../../src/scenes/scene.ts';
import { loadSprites } from '../../src/scenes/sprites.ts';
import { RandomStream } from '../../src/tensor/random.ts';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'scene-clip' },
    samples: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '20261126' },
  },
});
const samples = Number(flags.samples);
await using model = await CLIPModel.fromPretrained(flags.model);
const world = await loadSprites();
const scenes = new RandomStream(Number(flags.seed), 'statistics.scenes');
const captions = new RandomStream(Number(flags.seed), 'statistics.captions');

function* batches(size = 50) {
  for (let from = 0; from < samples; from += size)
    yield Array.from({ length: Math.min(size, samples - from) }, (_, i) => {
      const scene = drawScene(world, {}, scenes.reader(0, from + i));
      return { image: scene.image, text: caption(scene, captions.reader(0, from + i)) };
    });
}
const statistics = await featureStatistics(model, batches(), n => process.stderr.write(`\r${n} of ${samples} scenes`));
await saveStatistics(join(model.checkpoint.directory, STATISTICS_FILE), statistics);
process.stderr.write(`\nwrote ${STATISTICS_FILE} (${statistics.size} layers)\n`);
