/** @file `narrows models download`: a checkpoint from the Hugging Face hub into the cache that Python shares. */
import type { Command } from 'commander';
import { resolveModel } from '../../checkpoints/hub/hub.ts';
import type { CommandModule, Context } from '../command.ts';
import { examples } from '../flags.ts';
import { hubOptions } from '../hub-progress.ts';

function configure(command: Command): void {
  command
    .argument('<name>', 'org/name[@revision]')
    .addHelpText(
      'after',
      `\nHF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are honoured. An interrupted download resumes where it stopped.\n${examples(
        ['narrows models download openai/clip-vit-base-patch32', 'Fetch the model most papers use'],
        ['narrows models download org/name@v1.0', 'Fetch a tag, branch or commit'],
      )}`,
    );
}

async function run(context: Context, _options: unknown, [name]: readonly (string | undefined)[]) {
  context.status(`Asking for ${name}`);
  const { directory, name: resolved, revision } = await resolveModel(name as string, hubOptions(context));
  context.status();
  if (context.json) context.print(JSON.stringify({ name: resolved, revision: revision ?? null, directory }));
  else context.print(directory);
  return undefined;
}

/** `narrows models download NAME`. */
export const modelsDownloadCommand: CommandModule = { configure, run };
