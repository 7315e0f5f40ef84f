/** @file `narrows verify`: a model against a reference file made in PyTorch, tensor by tensor. */
import type { Command } from 'commander';
import { printReport } from '../../attribution/verify/print.ts';
import { verifyReference } from '../../attribution/verify/verify.ts';
import { DEFAULT_MODEL } from '../../models/bundled.ts';
import { loadModel } from '../../models/load.ts';
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
      'file of pixel_values, input_ids and attention_mask for attributions (default: the reference, or outputs.safetensors beside it)',
    )
    .option('--tolerance <share>', 'largest error of every kind of value (default: one per kind, in docs/verify.md)', number(0))
    .option('--all', 'list every tensor; otherwise a family that passed is one line')
    .addHelpText(
      'after',
      examples(
        ['narrows verify --model ./my-clip --reference outputs.safetensors', "Compare with PyTorch's values; exits with 1 if one departs"],
        ['narrows verify --model ./my-clip --reference outputs.safetensors --json', 'As JSON'],
      ),
    );
}

async function run(context: Context, options: Options) {
  context.status('Reading the model');
  await using model = await loadModel(options.model as string, hubOptions(context));
  const report = await verifyReference({
    model,
    referencePath: options.reference as string,
    inputsPath: options.inputs as string | undefined,
    tolerance: options.tolerance as number | undefined,
    signal: context.signal,
    onProgress: ({ done, total, label }) => context.status(`Verifying ${label}: ${done} of ${total} tensors`),
  });
  context.status();
  if (context.json) context.print(JSON.stringify(report));
  else context.print(printReport(report, { colour: context.colours.enabled, all: options.all === true }).trimEnd());
  return report.ok ? EXIT.done : EXIT.failed;
}

/** `narrows verify`. */
export const verifyCommand: CommandModule = { configure, run };
