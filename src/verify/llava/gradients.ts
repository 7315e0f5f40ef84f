/** @file `grad.NAME`: the gradient of a LLaVA's loss for its parameters, by their names in memory (`model.language_model.…`). */
import { inferenceTap } from '../../bottleneck/gaussian/llava.ts';
import { input } from '../../graph/index.ts';
import { imageTokens } from '../../models/llava/config.ts';
import { familyOf } from '../../models/llava/families.ts';
import { pixelInput, rowInputs } from '../../models/llava/files.ts';
import { llavaForward, nextTokenLoss } from '../../models/llava/forward.ts';
import { nameInMemory } from '../../models/llava/layout.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import type { Checker } from '../checker.ts';
import { lossGradients } from '../gradients.ts';
import { batchFeeds, llavaBatch } from './inputs.ts';
import type { LlavaSubject } from './subject.ts';

const PREFIX = 'grad.';

/** With weights as graph inputs; a model with many takes several runs. */
export const llavaGradientsChecker: Checker<LlavaSubject> = {
  name: 'gradients of the loss',
  role: name => (name.startsWith(PREFIX) ? 'value' : undefined),
  async *compute(context, names) {
    const { model, reference } = context;
    const batch = await llavaBatch(context);
    const reason = 'reason' in batch ? batch.reason : batch.labels ? undefined : 'the file has no labels';
    if ('reason' in batch || reason) {
      for (const name of names) yield { name, reason: reason! };
      return;
    }
    const { config, parts } = model.llava;
    const p = trainableParameters();
    const tap = model.bottleneck && inferenceTap(model.bottleneck, imageTokens(config));
    const { logits } = llavaForward(p, config, rowInputs(config), batch.pixelValues && pixelInput(config), tap);
    const loss = nextTokenLoss(logits, input('labels', ['batch', 'seq'], 'int32'));
    // Another family's parameters are named as its modules in Python are.
    const naming = familyOf(config)?.naming;
    const own = (name: string): string => (naming ? nameInMemory(name.slice(PREFIX.length), naming) : name.slice(PREFIX.length));
    const given = new Map(names.map(name => [PREFIX + own(name), name]));
    for (const name of names)
      if (!p.all.has(own(name))) yield { name, reason: `the model's loss does not depend on a parameter "${name.slice(PREFIX.length)}"` };
    const { runtime } = model;
    const { entries } = parts.checkpoint;
    const inFile = (name: string): string => given.get(name) ?? name;
    const run = {
      runtime,
      reference,
      prefix: PREFIX,
      names: [...given.keys()],
      parameters: p.all,
      entries,
      loss,
      feeds: batchFeeds(model, batch),
    };
    for await (const computed of lossGradients({ ...run, inFile })) yield { ...computed, name: inFile(computed.name) };
  },
};
