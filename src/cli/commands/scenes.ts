/** @file `narrows scenes`: writes a data set of the built-in world. */
import { type Command, Option } from 'commander';
import type { Progress } from '../../node/progress.ts';
import { CHEST_DEFAULTS } from '../../scenes/chest/chest.ts';
import { FINDINGS } from '../../scenes/chest/registry.ts';
import { writeChests } from '../../scenes/chest/write-chests.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { writeScenes } from '../../scenes/dataset.ts';
import { SCENE_DEFAULTS } from '../../scenes/scene.ts';
import { STYLES, TRAIN_STYLES } from '../../scenes/sprite-atlas.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { examples, integer, kebab, list } from '../flags.ts';

function configure(command: Command): void {
  const d = SCENE_DEFAULTS;
  command
    .addOption(
      new Option('--kind <kind>', 'things: emoji scenes; chest: phantom chest X-rays with findings and reports')
        .choices(['things', 'chest'])
        .default('things'),
    )
    .option('--count <n>', 'number of scenes', integer(1, 100_000_000), 100)
    .requiredOption('--output <dir>', 'directory to write; a larger --count later extends it')
    .option('--width <pixels>', 'width of the canvas', integer(16, 2048), d.width)
    .option('--height <pixels>', 'height of the canvas', integer(16, 2048), d.height)
    .option('--min-objects <n>', 'fewest objects in a scene', integer(1, 16), d.minObjects)
    .option('--max-objects <n>', 'most objects in a scene', integer(1, 16), d.maxObjects)
    .option('--min-size <pixels>', 'smallest longer side of an object', integer(4, 1024), d.minSize)
    .option('--max-size <pixels>', 'largest longer side of an object', integer(4, 1024), d.maxSize)
    .option('--styles <list>', `art sets among ${STYLES.join(', ')} (default: ${TRAIN_STYLES.join(',')})`, list)
    .option('--concepts <list>', 'draw only these things, by name (default: all)', list)
    .option('--questions', 'add questions with answers to every scene')
    .option('--llava', "write llava.json too: conversations in LLaVA's format, for train tune")
    .option('--no-masks', 'leave the pixel masks out')
    .option('--min-findings <n>', 'chest: fewest findings (default: 0)', integer(0, 5))
    .option('--max-findings <n>', 'chest: most findings (default: 3)', integer(0, 5))
    .option('--findings <list>', `chest: draw only these, among ${FINDINGS.map(f => f.name).join(', ')} (default: all)`, list)
    .option('--dicom', 'chest: write DICOM files of 12 bits in place of PNG')
    .addHelpText(
      'after',
      examples(
        ['narrows scenes --count 200 --output scenes', 'Write 200 scenes with captions, boxes and masks'],
        ['narrows scenes --output shifted --styles openmoji --seed 7', 'Draw in a style that the shipped model never saw'],
        ['narrows scenes --kind chest --count 200 --output chests', 'Phantom chest X-rays, reports, and boxes in the forms of public sets'],
        ['narrows attribute --pairs scenes/scenes.jsonl --output audit', 'See what the shipped model needs from them'],
      ),
    );
}

function conceptIndices(names: readonly string[] | undefined): number[] | undefined {
  return names?.map(name => {
    const index = CONCEPTS.findIndex(c => c.name === name || c.icon === name);
    if (index < 0)
      throw new NarrowsError(`There is no concept "${name}" among the ${CONCEPTS.length} that can be drawn.`, { kind: 'usage' });
    return index;
  });
}

/** Flags of one kind of scenes only. */
const OF_CHESTS = ['minFindings', 'maxFindings', 'findings', 'dicom'];
const OF_THINGS = ['minObjects', 'maxObjects', 'minSize', 'maxSize', 'styles', 'concepts', 'questions', 'llava', 'masks'];

/** Writes phantom chests. */
async function runChests(context: Context, o: Options, given: ReadonlySet<string>) {
  let bar: Progress | undefined;
  try {
    const { directory, count, drawn } = await writeChests({
      count: o.count as number,
      seed: context.seed,
      outputDirectory: o.output as string,
      width: given.has('width') ? (o.width as number) : CHEST_DEFAULTS.width,
      height: given.has('height') ? (o.height as number) : CHEST_DEFAULTS.height,
      minFindings: o.minFindings as number | undefined,
      maxFindings: o.maxFindings as number | undefined,
      findings: o.findings as string[] | undefined,
      dicom: o.dicom === true,
      signal: context.signal,
      onProgress(done, total) {
        bar ??= context.progress({ label: 'Drawing', total, unit: 'chests' });
        bar.update(done);
      },
    });
    bar?.done();
    if (context.json) context.print(JSON.stringify({ directory, count, drawn }));
    else
      context.print(
        `${directory}: ${count} chests (${drawn} drawn now) in images/, reports.csv, boxes in ms-cxr.json, vindr-cxr.csv, rsna.csv, masks in chexlocalize.json`,
      );
  } catch (error) {
    bar?.fail();
    throw error;
  }
  return undefined;
}

async function run(context: Context, options: Options, _args: unknown, given: ReadonlySet<string>) {
  const wrong = (options.kind === 'chest' ? OF_THINGS : OF_CHESTS).find(name => given.has(name));
  if (wrong) throw new NarrowsError(`--${kebab(wrong)} does not belong to --kind ${options.kind}.`, { kind: 'usage' });
  if (options.kind === 'chest') return runChests(context, options, given);
  const o = options as Record<string, number> & {
    output: string;
    styles?: string[];
    concepts?: string[];
    questions?: boolean;
    llava?: boolean;
    masks: boolean;
  };
  for (const [low, high] of [
    ['minObjects', 'maxObjects'],
    ['minSize', 'maxSize'],
  ])
    if (o[low] > o[high])
      throw new NarrowsError(`The smallest value (${o[low]}) is above the largest (${o[high]}) for ${low} and ${high}.`, { kind: 'usage' });
  for (const style of o.styles ?? [])
    if (!(STYLES as readonly string[]).includes(style))
      throw new NarrowsError(`There is no style "${style}"; choose among ${STYLES.join(', ')}.`, { kind: 'usage' });
  const concepts = conceptIndices(o.concepts);
  let bar: Progress | undefined;
  const started = performance.now();
  try {
    const { directory, count, drawn } = await writeScenes({
      count: o.count,
      seed: context.seed,
      outputDirectory: o.output,
      width: o.width,
      height: o.height,
      minObjects: o.minObjects,
      maxObjects: o.maxObjects,
      minSize: o.minSize,
      maxSize: o.maxSize,
      styles: o.styles,
      concepts,
      questions: o.questions ?? false,
      llava: o.llava ?? false,
      masks: o.masks,
      signal: context.signal,
      onSprites: (style, done, total) => context.status(done < total ? `Rendering ${style}: ${done} of ${total} sprites` : undefined),
      onProgress(done, total) {
        context.status();
        bar ??= context.progress({ label: 'Drawing', total, unit: 'scenes' });
        bar.update(done);
      },
    });
    bar?.done();
    const seconds = (performance.now() - started) / 1000;
    if (context.json) context.print(JSON.stringify({ directory, count, drawn, seconds }));
    else
      context.print(
        `${directory}: ${count} scenes (${drawn} drawn now) in images/, described in scenes.jsonl${o.llava ? ' and llava.json' : ''}`,
      );
  } catch (error) {
    bar?.fail();
    throw error;
  }
  return undefined;
}

/** `narrows scenes`. */
export const scenesCommand: CommandModule = { configure, run };
