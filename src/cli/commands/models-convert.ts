/** @file `narrows models convert`: an original LLaVA, a LoRA adapter with its base, or two towers that were saved apart, as a model directory. */
import type { Command } from 'commander';
import { joinTowers } from '../../models/join-towers.ts';
import { NarrowsError } from '../../system/errors.ts';
import { convertModel } from '../../tuning/llava/convert.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { examples } from '../flags.ts';

function configure(command: Command): void {
  command
    .argument('<directory>', 'original LLaVA checkpoint (safetensors), LoRA adapter of a LLaVA, or image tower of a CLIP')
    .option('--output <dir>', 'directory for the converted model')
    .option('--vision-tower <model>', 'original LLaVA: its CLIP or SigLIP (default: what config.json names as mm_vision_tower)')
    .option('--text-tower <dir>', 'CLIPVisionModelWithProjection: the directory of its CLIPTextModelWithProjection; both become one CLIP')
    .option('--base <model>', 'adapter: the model that it belongs to (default: what adapter_config.json names)')
    .addHelpText(
      'after',
      `\nThe result opens here and in transformers (LlavaForConditionalGeneration). The whole model is held in memory meanwhile.\n${examples(
        [
          'narrows models convert ./llava-v1.5-7b --vision-tower openai/clip-vit-large-patch14-336 --output ./llava-hf',
          'Convert an original LLaVA',
        ],
        ['narrows models convert ./image_encoder --text-tower ./text_encoder --output ./clip', 'Join the two towers of a CLIP'],
        ['narrows models convert ./my-adapter --output ./merged', 'Merge a LoRA adapter into its base'],
      )}`,
    );
}

async function run(context: Context, options: Options, [directory]: readonly (string | undefined)[]) {
  const output = options.output as string | undefined;
  if (output === undefined)
    throw new NarrowsError('The directory of the converted model is missing; give --output DIR.', { kind: 'usage' });
  context.status('Converting');
  const text = options.textTower as string | undefined;
  if (text !== undefined) {
    await joinTowers({ vision: directory as string, text, output, onWarning: message => context.log.warn(message, message) });
    context.status();
    if (context.json) context.print(JSON.stringify({ directory, text, output, converted: 'clip' }));
    else context.print(`Wrote ${output}: a CLIP of both towers`);
    return undefined;
  }
  const what = await convertModel({
    directory: directory as string,
    output,
    visionTower: options.visionTower as string | undefined,
    base: options.base as string | undefined,
    onWarning: message => context.log.warn(message, message),
  });
  context.status();
  if (context.json) context.print(JSON.stringify({ directory, output, converted: what }));
  else context.print(`Wrote ${output}: ${what}`);
  return undefined;
}

/** `narrows models convert DIRECTORY`. */
export const modelsConvertCommand: CommandModule = { configure, run };
