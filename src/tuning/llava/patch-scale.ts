/** @file How large projected patches are, for the scale step of a decoder's start. */
import { compile, input, mean, mul } from '../../graph/index.ts';
import { imageTokens, towerWidth } from '../../models/llava/config.ts';
import { projectFeatures } from '../../models/llava/forward.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import type { Parameter } from '../../optim/adamw.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats } from '../../tensor/tensor.ts';
import type { TowerSource } from './scene-task.ts';
import { sceneFeatures, type Whitening, whitened } from './whiten.ts';

/** Scenes that are looked at; 12 800 patches say a mean square to a hundredth. */
const SCENES = 200;
const SEED = 7_000_003;

/** Where the patches come from. */
export interface PatchScale {
  readonly source: TowerSource;
  readonly world: SceneWorld;
  readonly maxObjects: number;
  readonly parameters: readonly Parameter[];
  readonly whitening?: Whitening;
}

/** Root mean square of all numbers of the patches that the projector gives, over fresh scenes. */
export async function measurePatchRms(runtime: Runtime, patches: PatchScale): Promise<number> {
  const { source, world, maxObjects, parameters, whitening } = patches;
  const { config } = source;
  const features = await sceneFeatures(runtime, source, world, {
    scenes: SCENES,
    maxObjects,
    stream: new RandomStream(SEED, 'scale.scenes'),
  });
  const tower = input('tower_features', ['rows', towerWidth(config)]);
  const projected = projectFeatures(trainableParameters(), config, whitening ? whitened(tower, whitening) : tower);
  const graph = await compile(runtime, { square: mean(mul(projected, projected)) });
  const weights = parameters.filter(({ name }) => name.startsWith('model.multi_modal_projector.'));
  try {
    const feeds = Object.fromEntries(weights.map(p => [p.name, floats(p.shape, p.data)]));
    const { square } = await graph.run({ ...feeds, tower_features: floats([SCENES * imageTokens(config), towerWidth(config)], features) });
    return Math.sqrt(Number(square.data[0]));
  } finally {
    await graph.release();
  }
}
