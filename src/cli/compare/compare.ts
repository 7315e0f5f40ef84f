/** @file The work of `narrows compare`: from its flags to the settings, through the engine, to the report. */
import { dirname } from 'node:path';
import { readJson } from '../../checkpoints/disk.ts';
import { runComparison } from '../../evaluation/compare/comparison.ts';
import { openSource } from '../../evaluation/compare/data/open.ts';
import type { DataSpec } from '../../evaluation/compare/data/sample.ts';
import { styleGroups } from '../../evaluation/compare/data/scenes.ts';
import { detectForm } from '../../evaluation/compare/data/truth/registry.ts';
import { loadModel } from '../../evaluation/compare/engine/load-model.ts';
import type { ComparisonResults } from '../../evaluation/compare/results.ts';
import { type CompareSpec, methodSettings, metricSettings } from '../../evaluation/compare/settings.ts';
import { readSpec } from '../../evaluation/compare/stored-spec.ts';
import { loadExtensions } from '../../evaluation/extensions.ts';
import type { Modality } from '../../models/dual-encoder.ts';
import { ownCores } from '../../node/machine.ts';
import { shellQuote } from '../../report/attribution/html.ts';
import { assembleResults } from '../../report/comparison/assemble.ts';
import { writeReport } from '../../report/comparison/write-report.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Context, Options } from '../command.ts';
import { kebab } from '../flags.ts';
import { hubOptions } from '../hub-progress.ts';
import { quietPictureOptions } from '../picture-flags.ts';
import { chooseMethods, chooseMetrics, readOptionsFile } from './choices.ts';

/** Pairs of scenes where no number is given. */
const SCENES = 100;

async function dataOf(options: Options, seed: number, given: ReadonlySet<string>): Promise<DataSpec> {
  const side = options.modality as Modality | 'both';
  const common = { modalities: side === 'both' ? (['image', 'text'] as const) : [side], seed };
  const file = options.data as string;
  const pictures = pictureSettings(options);
  const samples = options.samples as number | undefined;
  const only = (names: readonly string[], what: string): void => {
    const wrong = names.find(name => given.has(name));
    if (wrong) throw new NarrowsError(`--${kebab(wrong)} belongs to ${what}, not to --data ${file}.`, { kind: 'usage' });
  };
  if (file === 'scenes') {
    only(['template', 'images', 'form'], 'files of boxes');
    only(['autoOrient', 'window', 'frame', 'keepTags'], 'files of pictures');
    return { ...common, kind: 'scenes', groups: styleGroups(options.styles as string[]), samples: samples ?? SCENES };
  }
  only(['styles'], 'scenes');
  if (options.form !== undefined || (/\.(json|csv)$/i.test(file) && (await detectForm(file)))) {
    return {
      ...{ modalities: side === 'both' ? (['image'] as const) : common.modalities, seed },
      ...pictures,
      kind: 'truth',
      file,
      form: options.form as string | undefined,
      images: options.images as string | undefined,
      template: options.template as string,
      samples,
    };
  }
  // A .json file is a list of pairs or an object of COCO's.
  const json = /\.json$/i.test(file);
  if (/\.(jsonl|ndjson|csv|tsv|parquet)$/i.test(file) || (json && Array.isArray(await readJson(file)))) {
    only(['template', 'images'], 'COCO files');
    return { ...common, ...pictures, kind: 'jsonl', file, samples };
  }
  if (json)
    return {
      ...common,
      ...pictures,
      kind: 'coco',
      file,
      images: options.images as string | undefined,
      template: options.template as string,
      samples,
    };
  throw new NarrowsError(
    `${file} is neither scenes nor a .json (COCO, or a list of pairs), .jsonl, .csv or .parquet file; see narrows compare --help.`,
    {
      kind: 'usage',
    },
  );
}

/** What the flags say of pictures, where they say anything: a directory without them stays the same comparison. */
function pictureSettings(options: Options): Pick<DataSpec, 'pictures'> {
  const { autoOrient, window, ...more } = quietPictureOptions(options);
  return autoOrient || window || Object.keys(more).length > 0 ? { pictures: { autoOrient, window, ...more } } : {};
}

async function specOf(context: Context, options: Options, given: ReadonlySet<string>): Promise<CompareSpec> {
  const directory = options.output as string;
  const reference = options.reference as string;
  if (options.reportOnly) {
    const stored = await readSpec(directory);
    await loadExtensions(stored);
    return stored;
  }
  const labelled = options.options === undefined ? undefined : await readOptionsFile(options.options as string);
  const extensions = { plugins: options.plugin as string[] | undefined, maps: options.maps as string | undefined };
  await loadExtensions(extensions);
  const spec: CompareSpec = {
    ...extensions,
    model: options.model as string,
    methods: chooseMethods(options.methods as string[], reference, labelled?.methods),
    metrics: chooseMetrics(options.metrics as string[], labelled?.metrics, {
      pairs: options.faithfulnessSamples as number | undefined,
      seeds: options.faithfulnessSeeds as number | undefined,
    }),
    data: await dataOf(options, context.seed, given),
    seed: context.seed,
    seeds: options.seeds as number,
    imageSize: options.imageSize as number | undefined,
    maxMemory: options.maxMemory as number | undefined,
    robustnessSamples: options.robustnessSamples as number,
    robustnessPasses: options.robustnessPasses as number,
    directory,
  };
  // Before anything is loaded: a wrong option shall cost no time.
  methodSettings(spec.methods);
  metricSettings(spec.metrics);
  return spec;
}

/** Runs the command. @throws NarrowsError for wrong flags, data, models or directories; the signal's reason when interrupted */
export async function compare(context: Context, options: Options, given: ReadonlySet<string>): Promise<undefined> {
  const spec = await specOf(context, options, given);
  context.status('Reading the data and the model');
  const source = await openSource(spec.data);
  await using model = await loadModel(spec.model, hubOptions(context));
  model.requireTokenizer();
  if (!options.reportOnly) {
    try {
      await runComparison(spec, source, model, {
        workers: (options.workers as number | undefined) ?? ownCores(),
        crew: context.crew,
        signal: context.signal,
        progress: bar => context.progress(bar),
        onSurvey: (done, total) => context.status(`Looking for finished pairs: ${done} of ${total}`),
        onStart: (done, total) => {
          context.status();
          if (done > 0) context.log.info(`${done} of ${total} pairs are already finished with the same settings.`);
        },
        onInfo: message => context.log.info(message),
        onWarning: message => context.log.warn(message),
      });
    } catch (error) {
      if (context.signal.aborted) context.log.info('Finished pairs are kept: the same command resumes, --report-only shows them.');
      throw error;
    }
  }
  const results = await assembleResults(spec, source, model, {
    reference: options.reference as string,
    command: commandOf(options, given),
    signal: context.signal,
    onProgress: (done, total) => context.status(`Reading the results: ${done} of ${total}`),
  });
  context.status('Writing the report');
  const written = await writeReport(results, spec.directory);
  context.status();
  tell(context, spec, results, written);
  return undefined;
}

/** The call again, as it may be typed. */
function commandOf(options: Options, given: ReadonlySet<string>): string {
  const flags = [...given].flatMap(name => {
    const value = options[name];
    if (name === 'json' || name === 'quiet' || name === 'debug' || name === 'reportOnly') return [];
    return value === true ? [`--${kebab(name)}`] : [`--${kebab(name)}`, shellQuote(Array.isArray(value) ? value.join(',') : String(value))];
  });
  return ['narrows compare', ...flags].join(' ');
}

/** Pairs below which intervals say little. */
const FEW = 10;

/** A summary on stdout, and what a reader should know besides. */
function tell(context: Context, spec: CompareSpec, results: ComparisonResults, written: readonly string[]): void {
  const least = Math.min(...results.parts.map(part => part.pairs.length));
  if (least < FEW)
    context.log.warn(`${least} ${least === 1 ? 'pair is' : 'pairs are'} too few for intervals; take at least ${FEW} with --samples.`);
  const settings = methodSettings(spec.methods);
  for (const { group, modality, pairs, skipped = {}, failures = {}, metricFailures = {} } of results.parts) {
    const where = results.parts.length > 1 ? ` of ${group}, ${modality} maps` : '';
    // A method that has no maps of a modality at all is no news.
    const absent = new Set(settings.filter(({ entry }) => !entry.modalities.includes(modality)).map(({ label }) => label));
    const unserved = Object.keys(skipped).filter(name => !failures[name] && !absent.has(name));
    for (const name of unserved) context.log.warn(`${name} was left out (${modality}): ${skipped[name]}`);
    const reasons = new Map<string, string[]>();
    for (const name of Object.keys(failures)) reasons.set(skipped[name], [...(reasons.get(skipped[name]) ?? []), name]);
    for (const [reason, names] of reasons) {
      const most = Math.max(...names.map(name => failures[name]));
      const who = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
      context.log.warn(`${who} failed on up to ${most} of ${pairs.length} pairs${where}: ${reason}`);
    }
    for (const [metric, byMethod] of Object.entries(metricFailures))
      for (const [method, { pairs: count, reason }] of Object.entries(byMethod))
        context.log.warn(
          `${metric} of ${method} failed on ${count} of ${pairs.length} pairs${where}, which are left out; the same command tries again: ${reason}`,
        );
  }
  if (context.json) {
    context.print(
      JSON.stringify({
        directory: spec.directory,
        pairs: results.data.samples,
        methods: results.methods.length,
        metrics: results.metrics.length,
      }),
    );
    return;
  }
  context.print(`${results.methods.length} methods by ${results.metrics.length} metrics on ${results.data.samples} pairs.`);
  const figures = written.filter(path => path.endsWith('.svg'));
  for (const path of written) if (!figures.includes(path)) context.print(`Wrote ${path}`);
  if (figures.length) context.print(`Wrote ${figures.length} figures to ${dirname(figures[0])}`);
}
