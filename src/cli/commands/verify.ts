/** @file `narrows verify`: a model against a reference file made in PyTorch, tensor by tensor. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { readConfig } from '../../checkpoints/disk.ts';
import { DEFAULT_MODEL, findModel } from '../../models/bundled.ts';
import { refuseRelative } from '../../models/llava/relatives.ts';
import { modelKind } from '../../models/load.ts';
import { loadModel } from '../../models/pretrained.ts';
import { NarrowsError } from '../../system/errors.ts';
import { openSubject } from '../../verify/llava/subject.ts';
import { verifyLlava } from '../../verify/llava/verify-llava.ts';
import { printReport } from '../../verify/print.ts';
import { type VerifyReport, verifyReference } from '../../verify/verify.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { EXIT } from '../errors.ts';
import { examples, number } from '../flags.ts';
import { hubOptions } from '../hub-progress.ts';

function configure(command: Command): void {
  command
    .option('--model <name>', 'shipped model, directory, or org/name[@revision]', DEFAULT_MODEL)
    .requiredOption('--reference <file>', '.safetensors file of values computed by PyTorch (docs/verify.md shows how to make one)')
    .option(
      '--inputs <file>',
      'file of pixel_values, input_ids and attention_mask for attributions (default: the reference, or outputs.safetensors next to it)',
    )
    .option(
      '--bottleneck <file>',
      "bottleneck weights from which a Vittle reference's training began (default: vittle-start.safetensors next to it, or its own)",
    )
    .option('--tolerance <share>', 'largest error of every kind of value (default: one per kind, in docs/verify.md)', number(0))
    .option('--all', 'list every tensor; otherwise a family that passed is one line')
    .addHelpText(
      'after',
      examples(
        ['narrows verify --model ./my-clip --reference outputs.safetensors', "Compare with PyTorch's values; exits with 1 if one differs"],
        ['narrows verify --model ./my-clip --reference outputs.safetensors --json', 'As JSON'],
        ['narrows verify --model ./my-llava --reference vittle.safetensors', 'A LLaVA: its answers, or three training steps of Vittle'],
      ),
    );
}

/** Loads the model as what its config says it is. */
async function verified(context: Context, options: Options): Promise<VerifyReport> {
  const found = await findModel(options.model as string, hubOptions(context));
  const source = join(found.directory, 'config.json');
  const config = await readConfig(found.directory);
  refuseRelative(config, source);
  const kind = modelKind(config, source);
  if (kind === 'llava-mini')
    throw new NarrowsError(`${source} is a LLaVA-Mini; narrows verify knows references of CLIP, SigLIP and LLaVA.`, { kind: 'usage' });
  if (kind !== 'llava' && options.bottleneck)
    throw new NarrowsError(`--bottleneck is for a LLaVA, but ${source} is a CLIP or SigLIP.`, { kind: 'usage' });
  const shared = {
    referencePath: options.reference as string,
    inputsPath: options.inputs as string | undefined,
    tolerance: options.tolerance as number | undefined,
    signal: context.signal,
    onProgress: ({ done, total, label }: { done: number; total: number; label: string }) =>
      context.status(`Verifying ${label}: ${done} of ${total} tensors`),
  };
  if (kind === 'llava') {
    const model = await openSubject(found, { ...hubOptions(context), startPath: options.bottleneck as string | undefined });
    await using _llava = model.llava;
    return verifyLlava({ ...shared, model });
  }
  await using model = await loadModel(options.model as string, hubOptions(context));
  return verifyReference({ ...shared, model });
}

async function run(context: Context, options: Options) {
  context.status('Reading the model');
  const report = await verified(context, options);
  context.status();
  if (context.json) context.print(JSON.stringify(report));
  else context.print(printReport(report, { colour: context.colours.enabled, all: options.all === true }).trimEnd());
  return report.ok ? EXIT.done : EXIT.failed;
}

/** `narrows verify`. */
export const verifyCommand: CommandModule = { configure, run };
