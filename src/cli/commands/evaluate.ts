/** @file `narrows evaluate`: a model answers benchmarks, clean and under shifts, and its answers are scored; or answers that exist are. */
import { type Command, Option } from 'commander';
import { NarrowsError } from '../../system/errors.ts';
import { addAnswerFlags } from '../chat/flags.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { addShiftMeans } from '../evaluate/shift-means.ts';
import { examples, fieldPairs, integer, list, number } from '../flags.ts';

function configure(command: Command): void {
  command
    .option(
      '--benchmark <list>',
      'sets of questions between commas; narrows benchmarks lists them (default: scenes-pope, the built-in one)',
      list,
    )
    .option('--suite <name>', 'many sets at once: vittle-45, or scenes')
    .option('--data <dir>', 'folder or file of the set; of several sets the folder around folders with their names')
    .option('--output <dir>', 'folder of answers, scores and report; the same folder again goes on where it stopped')
    .option(
      '--shifts <list>',
      'ask again under shifts: suites or single ones between commas, such as gaussian_noise:3,keyboard:2,fog:3+ocr:2',
      list,
    )
    .option(
      '--scorer <list>',
      "scorers between commas, such as official or pope@strict; all: side by side (default: the set's first)",
      list,
    )
    .option('--answers <path>', 'score the answers of this file or folder instead: no model is asked')
    .addOption(
      new Option('--join <how>', 'with --answers: how they find their questions; position only repeats what official programs do')
        .choices(['key', 'position'])
        .default('key'),
    )
    .option('--fields <pairs>', 'which columns of a set of your own hold what, such as question=q,answer=gold', fieldPairs)
    .option('--split <name>', 'a part of the set that has parts')
    .option('--prompt <name>', "how questions are put (default: the set's first way)")
    .option('--limit <n>', 'only the first questions', integer(1, 2 ** 31 - 1))
    .option('--batch-size <n>', 'questions at once', integer(1, 1024), 8)
    .option('--feature-cache <dir>', 'keep encoded pictures here, for later runs of the same model')
    .option('--report-only', 'score and report what the folder holds; ask nothing')
    .option('--emi <list>', 'emi.json of narrows emi, whose distances the report shows next to accuracy; of several sets as SET=FILE', list)
    .option('--attribution <method>', 'explain every clean answer again under every shift, and say how far its map moves (auto: m2ib)')
    .option('--lmms-eval', 'write results and answers in the form of lmms-eval, too')
    .option('--endpoint <url>', 'ask a model behind an OpenAI-compatible server instead: vLLM, llama.cpp, Ollama, narrows serve')
    .option('--model-name <name>', 'with --endpoint: the name that the server gives the model')
    .option('--api-key-env <name>', 'with --endpoint: environment variable that holds the key (default: OPENAI_API_KEY)')
    .option('--max-requests <n>', 'with --endpoint: requests of this run at most', integer(1, 2 ** 31 - 1))
    .option('--concurrency <n>', 'with --endpoint: requests at once (default: 4)', integer(1, 256))
    .option('--timeout <seconds>', 'with --endpoint: how long an answer may take (default: 300)', number(1, 86_400));
  addShiftMeans(command);
  addAnswerFlags(command, { maxNewTokens: 128 }).addHelpText(
    'after',
    examples(
      ['narrows evaluate --benchmark scenes-pope --limit 300 --output out', 'The built-in set with the shipped model, no data needed'],
      ['narrows evaluate --benchmark scenes-pope --shifts gaussian_noise:3,keyboard:3 --output out', 'The same clean and under two shifts'],
      [
        'narrows evaluate --benchmark pope,mme --data sets --model ./my-llava --output out',
        'Public sets that lie in sets/pope and sets/mme',
      ],
      [
        'narrows evaluate --benchmark pope --data sets/pope --endpoint http://localhost:8000/v1 --model-name my-model --output out',
        'A model behind a server',
      ],
      [
        'narrows evaluate --benchmark pope --data sets/pope --answers answers.jsonl --scorer all',
        'Answers that another program wrote, by each set of rules',
      ],
    ),
  );
}

async function run(context: Context, options: Options, _args: readonly (string | undefined)[], given: ReadonlySet<string>) {
  // Scoring answers that exist should not wait for a model's code.
  if (options.answers !== undefined) return (await import('../evaluate/score-existing.ts')).scoreExisting(context, options, given);
  if (given.has('join'))
    throw new NarrowsError('--join says how answers that exist find their questions; add --answers FILE.', { kind: 'usage' });
  if (options.reportOnly) return (await import('../evaluate/report-run.ts')).reportOnly(context, options);
  const benchmark = options.benchmark ?? (options.suite === undefined ? ['scenes-pope'] : undefined);
  return (await import('../evaluate/run-model.ts')).evaluateModel(context, { ...options, benchmark }, given);
}

/** `narrows evaluate`. */
export const evaluateCommand: CommandModule = { configure, run, shares: 'threads' };
