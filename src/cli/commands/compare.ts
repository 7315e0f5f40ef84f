/** @file `narrows compare`: many methods by many metrics on pairs whose truth may be known, to a report. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { TRUTH_FORMS } from '../../evaluation/compare/data/truth/registry.ts';
import { DEFAULT_MODEL } from '../../models/bundled.ts';
import { STYLES } from '../../scenes/sprite-atlas.ts';
import type { CommandModule } from '../command.ts';
import { compare } from '../compare/compare.ts';
import { examples, integer, list, memory } from '../flags.ts';
import { addPictureFlags } from '../picture-flags.ts';
import { pluginOption } from '../plugins.ts';

function configure(command: Command): void {
  addPictureFlags(command)
    .option('--methods <list>', 'methods separated by commas, or all; narrows methods lists them. Controls are always included', list, [
      'all',
    ])
    .option('--metrics <list>', 'metrics separated by commas, or all; narrows metrics lists them', list, ['all'])
    .option(
      '--data <source>',
      'scenes, a COCO annotation file (.json), boxes of radiographs (MS-CXR, VinDr-CXR, RSNA, CheXlocalize), or pairs with box, boxes or mask (.jsonl)',
      'scenes',
    )
    .requiredOption('--output <dir>', 'directory of the report and of what is finished; the same directory again resumes')
    .option('--seeds <n>', 'maps per pair, for methods that draw random numbers', integer(1, 1000), 5)
    .option('--samples <n>', 'pairs per style and modality (default: 100 scenes, or the whole file)', integer(1, 10_000_000))
    .option('--styles <list>', `styles of scenes, each summarised separately: trained, unseen, ${STYLES.join(', ')}`, list, ['trained'])
    .option('--model <name>', 'shipped model, directory, or org/name[@revision] on the Hugging Face hub', DEFAULT_MODEL)
    .addOption(new Option('--modality <side>', 'which maps to judge').choices(['image', 'text', 'both']).default('both'))
    .option('--reference <method>', 'the method that the others are compared with', 'm2ib')
    .option(
      '--options <file>',
      'JSON of labels with options: {"m2ib@tuned": {"method": "m2ib", "beta": 0.3}, "rise": {"pairs": 50, "seeds": 2}}; metrics likewise',
    )
    .option(
      '--faithfulness-samples <n>',
      'pairs per style and modality for metrics that ask the model (default: all)',
      integer(1, 10_000_000),
    )
    .option('--faithfulness-seeds <n>', 'seeds for metrics that ask the model (default: all)', integer(1, 1000))
    .option('--robustness-samples <n>', 'pairs per style and modality for metrics that run methods again', integer(0), 20)
    .option('--robustness-passes <n>', 'leave methods out of these metrics whose map costs more passes', integer(0), 300)
    .addOption(
      new Option('--form <name>', 'boxes of radiographs in the form of a public set (default: by the file)').choices(
        TRUTH_FORMS.map(form => form.name),
      ),
    )
    .option(
      '--template <text>',
      "with COCO and boxes of radiographs without phrases: the caption; {} is the category's name",
      'a photo of a {}',
    )
    .option('--images <dir>', 'with COCO and boxes of radiographs: directory of the pictures (default: that of the file)')
    .option('--image-size <pixels>', 'feed pictures at this size (default: what the model expects)', integer(1, 4096))
    .option('--max-memory <size>', 'memory for intermediate values per worker, such as 256MB (default: 512MB)', memory)
    .option(
      '--workers <n>',
      'threads, each with a separate copy of the model (default: one per core); 0 works in the main thread',
      integer(0, 256),
    )
    .option('--maps <dir>', 'judge maps that another tool made, too: one NAME.safetensors or NAME.json per method, a map per pair id')
    .addOption(pluginOption())
    .option('--report-only', 'make the report from the pairs that are complete, and compute nothing')
    .addHelpText(
      'after',
      examples(
        ['narrows compare --methods m2ib,grad-cam --metrics pointing-game,insertion --samples 50 --output out', 'A quick look'],
        ['narrows compare --styles trained,unseen --samples 500 --output out', 'Everything, on art that the model knows and does not know'],
        ['narrows compare --data instances_val2017.json --images val2017 --samples 200 --output out', 'Objects of COCO'],
        ['narrows compare --data ms-cxr.json --images physionet --model org/clip --output out', 'Phrases of radiology reports'],
        ['narrows compare --output out --report-only', 'The report of a run that is not over'],
      ),
    );
}

/** `narrows compare`. */
export const compareCommand: CommandModule = {
  configure,
  shares: 'threads',
  run: (context, options, _args, given) => compare(context, options, given),
};
