/**
 * @file What each token keeps in a LLaVA's bottleneck: the exact KL of its posterior to the prior (Vittle), in nats, summed over dimensions.
 * A LLaVA reads an image and a question; nothing is optimised.
 */
import { z } from 'zod';
import { inferenceAlpha } from '../../bottleneck/gaussian/config.ts';
import { bottleneckOf, readBottleneckFrom } from '../../bottleneck/gaussian/llava.ts';
import { type BottleneckState, gaussianBottleneck } from '../../bottleneck/gaussian/module.ts';
import { tokenNats } from '../../bottleneck/gaussian/penalty.ts';
import { compile } from '../../graph/index.ts';
import { imageTokens } from '../../models/llava/config.ts';
import { pixelInput, rowInputs } from '../../models/llava/files.ts';
import { llavaForward } from '../../models/llava/forward.ts';
import { LlavaModel } from '../../models/llava/model.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { QuestionMethodEntry } from '../question.ts';

/** Options. */
export const posteriorSchema = z.strictObject({
  layer: z
    .union([z.literal('auto'), z.number().int()])
    .default('auto')
    .describe("decoder block whose bottleneck is read, from 0; -1: the one after the projector; auto: the model's last"),
});
/** Options with their defaults filled in. */
export type PosteriorOptions = z.infer<typeof posteriorSchema>;

/** Reads the bottleneck of a LLaVA. @throws NarrowsError from `explain`, for a model without a bottleneck, or without one at the layer asked for */
export const posterior: QuestionMethodEntry<PosteriorOptions> = {
  name: 'posterior',
  title: 'Posterior',
  family: 'bottleneck',
  serves: 'question',
  modalities: ['image', 'text'],
  schema: posteriorSchema,
  cost: "one F of a LLaVA's tower and of its decoder up to the bottleneck",
  paper: 'Oh, Li, Im, Li: Visual instruction bottleneck tuning, NeurIPS 2025, arXiv 2505.13946 (its KL term, token by token)',
  unit: 'nats',
  signed: false,
  sampled: false,
  unsupported: ({ model, name }) =>
    model instanceof LlavaModel ? undefined : `${name} is a LLaVA-Mini, which has no bottleneck; posterior is for a LLaVA with one.`,
  async explain({ name, model, feeds, wanted, signal }, { layer }) {
    const { config, parts } = model;
    const bottleneck = bottleneckOf(config) && (await readBottleneckFrom(parts.files));
    if (!bottleneck)
      throw new NarrowsError(
        `${name} is a LLaVA without a bottleneck (its config.json has no bottleneck_config), so there is no posterior to read; narrows train tune --method vittle makes one.`,
      );
    const { control } = bottleneck.config;
    if (control)
      throw new NarrowsError(
        `${name} was trained with the control "${control}" in the bottleneck's place, which has no posterior that is charged; narrows train tune --method vittle without --control makes one.`,
      );
    const layers = bottleneck.config.bottleneck_layers;
    const chosen = layer === 'auto' ? Math.max(...layers) : layer;
    if (!layers.includes(chosen))
      throw new NarrowsError(`${name} has no bottleneck at block ${chosen}; it has one at ${layers.join(', ')}.`, { kind: 'usage' });
    // A bottleneck of one modality only lets the other pass as it is, so that it says nothing of it.
    const passed = chosen === -1 ? ['visual'] : bottleneck.config.modalities;
    const modalities = wanted.filter(modality => passed.includes(modality === 'image' ? 'visual' : 'text'));
    if (modalities.length === 0)
      throw new NarrowsError(
        `The bottleneck of ${name} at block ${chosen} passes no ${wanted.join(' and ')} tokens; ask for the other side.`,
        { kind: 'usage' },
      );
    let state: BottleneckState | undefined;
    const perImage = imageTokens(config);
    const alpha = inferenceAlpha(bottleneck.config);
    llavaForward(parts.parameters, config, rowInputs(config), pixelInput(config), (at, hidden, { modality, positions }) => {
      if (!layers.includes(at)) return hidden;
      const inputs = { modality, positions, tokensPerImage: perImage, alpha };
      const here = gaussianBottleneck(bottleneck.parameters, bottleneck.config, at, hidden, inputs);
      if (at === chosen) state = here;
      return here.hidden;
    });
    await using graph = await compile(parts.runtime, { nats: tokenNats(state!) }, { prepack: false });
    const { nats } = await graph.run(feeds, { signal });
    return {
      tokens: nats.data as Float32Array,
      modalities,
      target: `what the bottleneck ${chosen === -1 ? 'after the projector' : `after block ${chosen}`} keeps of each token`,
      parameters: { layer: chosen, bottleneck: bottleneck.config },
      passes: { forward: 1, backward: 0 },
    };
  },
};
