/** @file `narrows attribute`: one pair to words in the terminal and pictures on disk, or a whole list of pairs. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { ANSWER_PARTS, ANSWER_REDUCTIONS } from '../../attribution/answers/answer-targets.ts';
import { AUTO_ANSWER_METHOD, createMethod, findMethod, methods } from '../../attribution/registry.ts';
import type { Attribution } from '../../attribution/result.ts';
import { readConfig } from '../../checkpoints/disk.ts';
import { IMAGE_KINDS } from '../../inputs/image/decode.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { isFolder } from '../../inputs/pairs/list-pairs.ts';
import { DEFAULT_MODEL, findModel } from '../../models/bundled.ts';
import { refuseRelative } from '../../models/llava/relatives.ts';
import { modelKind } from '../../models/load.ts';
import { loadModel } from '../../models/pretrained.ts';
import { NarrowsError } from '../../system/errors.ts';
import { formatDuration } from '../../system/format.ts';
import { auditPairs } from '../attribute/bulk.ts';
import { choosePair, loadPair } from '../attribute/input.ts';
import { KINDS, planTargets, type Target, writeTarget } from '../attribute/output.ts';
import { explainPhrases } from '../attribute/phrases.ts';
import { printResult } from '../attribute/print.ts';
import { type AnswerFlags, answerEntry, askModel, noSpans } from '../attribute/question.ts';
import { auditQuestions } from '../attribute/question-bulk.ts';
import { repeatCommand } from '../attribute/repeat-command.ts';
import { type AttributeSettings, runOf, settingsOf } from '../attribute/settings.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { collect, examples, integer, list, memory, nameAmong, number, parts } from '../flags.ts';
import { hubOptions } from '../hub-progress.ts';
import { addPictureFlags } from '../picture-flags.ts';
import { pluginOption } from '../plugins.ts';
import { addChosenFlags } from '../schema-flags.ts';

function configure(command: Command): void {
  command
    .argument('[image]', `picture: ${IMAGE_KINDS}; or a folder of them, as --pairs`)
    .argument('[text]', 'caption, in quotes; for a model that answers, a question')
    .option('--image <file>', 'the picture, in place of the first argument')
    .option('--text <caption>', 'the caption, in place of the second argument')
    .option('--model <name>', 'shipped model, directory, or org/name[@revision] on the Hugging Face hub', DEFAULT_MODEL)
    .addOption(
      new Option('--method <name>', 'attribution method; narrows methods lists them, --method NAME --help shows its options')
        .default('auto')
        .argParser(nameAmong(() => ['auto', ...methods.map(m => m.name)], 'method')),
    )
    .addOption(new Option('--modality <side>', 'which maps to make').choices(['image', 'text', 'both']).default('both'))
    .option('--seeds <n>', 'average over this many seeds and report how stable the map is', integer(1, 1000), 1)
    .option('--answer <text>', "models that answer: explain this answer's probability (default: the model's own answer)")
    .addOption(new Option('--parts <parts>', 'models that answer: a map for each of these too (default: word)').choices(ANSWER_PARTS))
    .addOption(
      new Option('--reduction <rule>', "models that answer: how the tokens' log-probabilities make the answer's (default: sum)").choices(
        ANSWER_REDUCTIONS,
      ),
    )
    .option(
      '--against <text>',
      'explain why the caption (the answer) and not this one: the difference of their cosines (log-probabilities)',
    )
    .option(
      '--spans <list>',
      'a map for each of these phrases of the caption too (a;b;c), or "commas": what stands between commas and stops',
      parts,
    )
    .option('--labels <list>', 'explain the log-probability of the caption among these captions (a;b;c)', parts)
    .option('--templates <list>', 'explain the mean over prompts in which {} is the caption (a photo of {};a drawing of {})', parts)
    .option('--target-image <file>', 'explain the cosine to this picture in place of the other half of the pair')
    .option('--max-memory <size>', 'memory for intermediate values, such as 256MB or 2GB (default: 512MB)', memory)
    .option('--image-size <pixels>', 'feed the picture at this size for a finer map (default: what the model expects)', integer(1, 4096))
    .option(
      '--output <path>',
      `file (${KINDS.map(k => `.${k}`).join(' ')}) or directory, may be repeated (default: NAME.narrows.png and .html here; with --json nothing)`,
      collect,
    )
    .addOption(
      new Option(
        '--unit <unit>',
        'unit of the numbers shown by methods that count information (files of numbers keep nats; default: nats)',
      ).choices(['nats', 'bits']),
    )
    .option('--opacity <share>', 'opacity of the strongest patch, 0 to 1', number(0, 1))
    .option('--outlines', 'SVG: draw text as outlines, which look the same where the font is missing (default: text)')
    .addOption(new Option('--theme <theme>', 'theme of the picture').choices(['light', 'dark']).default('light'))
    .option(
      '--pairs <file|folder>',
      'audit all pairs (or questions) of a .csv, .tsv, .jsonl, .json or .parquet file with columns image and text (or findings: a map for each), or a folder of pictures with --text; needs --output DIR',
    )
    .addOption(pluginOption())
    .option('--formats <list>', 'with --pairs: files per pair (default: html,json)', list)
    .option(
      '--workers <n>',
      'with --pairs: threads, each with a separate copy of the model; 0 works in the main thread; the maps are the same (default: one per core from 8 pairs on, as memory allows)',
      integer(0, 256),
    );
  addPictureFlags(command, { shared: true });
  addChosenFlags(command, methods, () => findMethod(command.opts().method as string));
  command.addHelpText(
    'after',
    examples(
      ['narrows attribute', 'Explain the shipped example with the shipped model'],
      ['narrows attribute photo.jpg "a dog on a beach" --model openai/clip-vit-base-patch32', 'Explain your own picture'],
      ['narrows attribute photo.jpg "a dog" --output dog.svg --output dog.json --unit bits', 'Choose the files'],
      ['narrows attribute chest.png "right effusion, no pneumothorax" --spans commas', 'A map for each finding of a report'],
      ['narrows attribute photo.jpg "a dog" --json --quiet | jq .cosine', 'Take a number out of the result'],
      ['narrows attribute photo.png "what is at the left ?" --model scene-llava', "Explain a model's answer, word by word"],
      ['narrows attribute photo.jpg "What is this?" --method posterior --model ./my-vittle', 'See what a LLaVA with a bottleneck keeps'],
      ['narrows attribute --pairs captions.csv --output audit', 'Audit a data set; run it again to resume'],
      ['narrows attribute films --spans "effusion;nodule" --output maps', 'Each of these findings in every picture of a folder'],
    ),
  );
}

/** Shows steps and, once it can be estimated, the time left. */
function attributionProgress(context: Context): (done: number, total: number) => void {
  const started = performance.now();
  return (done, total) => {
    const seconds = (performance.now() - started) / 1000;
    const left = seconds > 2 && done < total ? `, ${formatDuration((seconds / done) * (total - done))} left` : '';
    context.status(`Attributing: step ${done} of ${total}${left}`);
  };
}

async function run(context: Context, options: Options, args: readonly (string | undefined)[], given: ReadonlySet<string>) {
  const settings = await settingsFor(context, options, given);
  const [image, text] = [(options.image as string | undefined) ?? args[0], (options.text as string | undefined) ?? args[1]];
  const outputs = options.output as string[] | undefined;
  const folder = image !== undefined && options.pairs === undefined && (await isFolder(image)) ? image : undefined;
  if (options.pairs !== undefined || folder !== undefined) {
    if (image !== undefined && folder === undefined)
      throw new NarrowsError('--pairs takes the pictures from its list or folder; leave IMAGE out (a caption for all: --text).', {
        kind: 'usage',
      });
    const request = {
      file: folder ?? (options.pairs as string),
      text,
      spans: options.spans as string[] | undefined,
      outputs,
      formats: options.formats as string[] | undefined,
      workers: options.workers as number | undefined,
      plugins: options.plugin as string[] | undefined,
    };
    if (await answers(context, settings.model))
      return auditQuestions(context, settings, answerEntry(settings), request, answerFlags(options));
    return auditPairs(context, settings, request);
  }
  if (options.workers !== undefined) throw new NarrowsError('--workers belongs to --pairs; one pair needs one model.', { kind: 'usage' });
  if (options.formats !== undefined) throw new NarrowsError('--formats belongs to --pairs; name files with --output.', { kind: 'usage' });
  const source = await choosePair(image, text);
  const targets = await planTargets(outputs ?? (context.json ? [] : ['.']), source.path);
  context.status('Reading the picture and the model');
  const pair = await loadPair(source, settings.pictures);
  const asked = answerFlags(options);
  const spans = options.spans as string[] | undefined;
  if (await answers(context, settings.model)) {
    if (spans) throw new NarrowsError(noSpans(settings.model), { kind: 'usage' });
    const { result, picture } = await askModel(context, settings, pair, { ...asked, onProgress: attributionProgress(context) });
    await show(context, settings, { result, picture, targets, shown: source.shown });
    return undefined;
  }
  const only = Object.entries(asked).find(([, value]) => value !== undefined);
  if (only)
    throw new NarrowsError(`--${only[0]} is for models that answer questions; ${settings.model} compares images with texts.`, {
      kind: 'usage',
    });
  await using model = await loadModel(settings.model, { ...hubOptions(context), keepSessions: false });
  const method = createMethod(settings.entry, model, settings.values);
  context.log.debug(`attributing with ${model.name}`);
  if (spans) {
    const onProgress = attributionProgress(context);
    await explainPhrases(context, settings, { method, pair, spans, targets, shown: source.shown, onProgress });
    await method.release();
    return undefined;
  }
  const result = await method.attribute(pair, {
    ...(await runOf(settings)),
    signal: context.signal,
    onProgress: attributionProgress(context),
    onWarning: message => context.log.warn(message),
  });
  await show(context, settings, { result, picture: pair.image, targets, shown: source.shown });
  await method.release();
  return undefined;
}

/** The settings; without a method, flags may be those of the one that is taken for a model that answers. */
async function settingsFor(context: Context, options: Options, given: ReadonlySet<string>): Promise<AttributeSettings> {
  try {
    return settingsOf(context, options, given);
  } catch (error) {
    if (options.method !== 'auto' || !(await answers(context, options.model as string).catch(() => false))) throw error;
    return { ...settingsOf(context, { ...options, method: AUTO_ANSWER_METHOD }, given), auto: true };
  }
}

/** What the flags say of an answer. */
const answerFlags = ({ answer, parts, reduction }: Options): AnswerFlags => ({ answer, parts, reduction }) as AnswerFlags;

/** Whether a model's config says that it answers questions. */
async function answers(context: Context, model: string): Promise<boolean> {
  const { directory } = await findModel(model, hubOptions(context));
  const [config, source] = [await readConfig(directory), join(directory, 'config.json')];
  refuseRelative(config, source);
  return modelKind(config, source) !== 'dual-encoder';
}

/** A result with the picture that its map lies on, and where it goes. */
interface Shown {
  readonly result: Attribution;
  readonly picture: RgbImage;
  readonly targets: readonly Target[];
  readonly shown?: string;
}

/** Writes the files and tells the result. */
async function show(context: Context, settings: AttributeSettings, { result, picture, targets, shown }: Shown): Promise<void> {
  context.signal.throwIfAborted();
  const command = repeatCommand(result, settings.model, shown);
  for (const target of targets) {
    context.status(`Drawing ${target.path}`);
    await writeTarget(target, result, picture, { ...settings.draw, command });
    context.signal.throwIfAborted();
  }
  context.status();
  if (context.json) {
    const { attributionToJson } = await import('../../report/attribution/json.ts');
    context.print(attributionToJson(result));
    for (const { path } of targets) context.log.info(`Wrote ${path}`);
  } else await printResult(context, result, picture, { unit: settings.draw.unit, written: targets, seconds: process.uptime() });
}

/** `narrows attribute [IMAGE] [TEXT]`. */
export const attributeCommand: CommandModule = { configure, run, shares: 'threads' };
