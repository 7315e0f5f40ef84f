/** @file `narrows scenes`: writes a data set of the built-in world. */
import type { Command } from 'commander';
import type { Progress } from '../../node/progress.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { writeScenes } from '../../scenes/dataset.ts';
import { SCENE_DEFAULTS } from '../../scenes/scene.ts';
import { STYLES, TRAIN_STYLES } from '../../scenes/sprite-atlas.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { examples, integer, list } from '../flags.ts';

function configure(command: Command): void {
  const d = SCENE_DEFAULTS;
  command
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
    .addHelpText(
      'after',
      examples(
        ['narrows scenes --count 200 --output scenes', 'Write 200 scenes with captions, boxes and masks'],
        ['narrows scenes --output shifted --styles openmoji --seed 7', 'Draw in a style that the shipped model never saw'],
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

async function run(context: Context, options: Options) {
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
