/** @file `narrows audit`: what a model's maps say of radiographs with reports and boxes, with controls, and what they cannot say. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { findMethod } from '../../attribution/registry.ts';
import { TRUTH_FORMS } from '../../evaluation/compare/data/truth/registry.ts';
import { loadModel } from '../../evaluation/compare/engine/load-model.ts';
import { auditItems } from '../../evaluation/radiology/items.ts';
import { runAudit } from '../../evaluation/radiology/run.ts';
import { summarise } from '../../evaluation/radiology/summary.ts';
import { verdicts } from '../../evaluation/radiology/verdict.ts';
import { shellQuote } from '../../report/attribution/html.ts';
import type { AuditResults } from '../../report/radiology/results.ts';
import { writeAudit } from '../../report/radiology/write-audit.ts';
import { NarrowsError } from '../../system/errors.ts';
import { version } from '../../system/version.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { EXIT } from '../errors.ts';
import { examples, integer, kebab, list } from '../flags.ts';
import { hubOptions } from '../hub-progress.ts';
import { addPictureFlags, quietPictureOptions } from '../picture-flags.ts';

function configure(command: Command): void {
  addPictureFlags(command)
    .requiredOption(
      '--pairs <file|folder>',
      'pictures (also DICOM) with their reports, or a column findings: .csv, .jsonl, .json or .parquet; or a folder of pictures',
    )
    .requiredOption('--boxes <file>', `where the findings are, in the form of ${TRUTH_FORMS.map(form => form.title).join(', ')}`)
    .requiredOption('--output <dir>', 'directory of the page and of what is finished; the same command again resumes')
    .option('--model <name>', 'shipped model, directory, or org/name[@revision] on the Hugging Face hub', 'chest-clip')
    .option('--method <name>', 'attribution method; narrows methods lists them', 'm2ib')
    .addOption(new Option('--form <name>', 'form of the boxes (default: by the file)').choices(TRUTH_FORMS.map(form => form.name)))
    .option('--findings <list>', 'only these classes, by the names in the boxes (default: all)', list)
    .option('--samples <n>', 'at most so many findings, at random (default: all)', integer(1, 10_000_000))
    .addHelpText(
      'after',
      examples(
        ['narrows scenes --kind chest --count 100 --seed 7 --output chests', 'Phantom chest X-rays to try it on'],
        ['narrows audit --pairs chests/reports.csv --boxes chests/ms-cxr.json --output audit', 'Audit the shipped model on them'],
        ['narrows audit --pairs reports.csv --boxes ms-cxr.json --model org/name --output audit', 'Audit a model of yours'],
      ),
    );
}

async function run(context: Context, options: Options, _args: unknown, given: ReadonlySet<string>): Promise<number | undefined> {
  const directory = options.output as string;
  const pictures = quietPictureOptions(options);
  const { seed } = context;
  const listed = await auditItems({
    pairs: options.pairs as string,
    except: directory,
    boxes: options.boxes as string,
    form: options.form as string | undefined,
    findings: options.findings as string[] | undefined,
    samples: options.samples as number | undefined,
    seed,
  });
  const { items } = listed;
  context.status('Reading the model');
  await using model = await loadModel(options.model as string, hubOptions(context));
  model.requireTokenizer();
  context.status();
  const method = options.method as string;
  const { records, failures } = await runAudit(model, items, {
    ...{ directory, method, seed, pictures },
    crew: context.crew && { threads: context.crew, model: options.model as string },
    signal: context.signal,
    progress: bar => context.progress(bar),
    onInfo: message => context.log.info(message),
    onWarning: message => context.log.warn(message, message),
  });
  for (const failure of failures.slice(0, 5)) context.log.warn(`Left out: ${failure}`);
  if (failures.length > 5) context.log.warn(`${failures.length - 5} more findings are left out; results.json lists them.`);
  if (records.length === 0) throw new NarrowsError('No finding could be measured; the warnings above say why.');
  const results: AuditResults = {
    schemaVersion: 1,
    version,
    command: commandOf(options, given),
    model: { name: model.name, sha256: await model.sha256() },
    method,
    unit: findMethod(method)!.unit,
    seed,
    data: { findings: records.length, pictures: new Set(records.map(record => record.image)).size, form: listed.form },
    summaries: summarise(records, seed),
    records,
    failures: failures.map(failure => `Left out: ${failure}`),
    warnings: [...new Set([...listed.warnings, ...records.flatMap(record => record.warnings)])],
  };
  context.status('Writing the page');
  const written = await writeAudit(results, items, directory, pictures);
  context.status();
  if (context.json) context.print(JSON.stringify({ directory, ...results.data, verdicts: verdicts(results.summaries[0]) }));
  else {
    for (const { question, answer, sentence } of verdicts(results.summaries[0]))
      context.print(`${answer.padEnd(9)} ${question} ${sentence}`);
    for (const path of written) context.print(`Wrote ${path}`);
  }
  return failures.length > 0 ? EXIT.failed : undefined;
}

/** The call again, as it may be typed. */
function commandOf(options: Options, given: ReadonlySet<string>): string {
  const flags = [...given].flatMap(name => {
    const value = options[name];
    if (name === 'json' || name === 'quiet' || name === 'debug') return [];
    return value === true ? [`--${kebab(name)}`] : [`--${kebab(name)}`, shellQuote(Array.isArray(value) ? value.join(',') : String(value))];
  });
  return ['narrows audit', ...flags].join(' ');
}

/** `narrows audit`. */
export const auditCommand: CommandModule = { configure, run, shares: 'threads' };
