/** @file Flags of `narrows judge`: what is judged, by whom, and what an endpoint may cost. */
import { type Command, Option } from 'commander';
import type { Order } from '../../evaluation/judge/item.ts';
import { Endpoint } from '../../generation/endpoint/client.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Context, Options } from '../command.ts';
import { collect, integer, kebab, number } from '../flags.ts';

/** Declares who judges, and within which limits. */
export function addEndpointFlags(command: Command): Command {
  return command
    .option('--endpoint <url>', 'OpenAI-compatible server of the judge: vLLM, llama.cpp, Ollama, a service')
    .option('--judge-model <name>', 'the name that the server gives the judge')
    .option('--api-key-env <name>', 'environment variable that holds the key (default: OPENAI_API_KEY)')
    .option('--temperature <t>', 'of the judge', number(0, 100), 0)
    .option('--max-tokens <n>', 'tokens of a review at most', integer(1, 2 ** 31 - 1), 1024)
    .option('--concurrency <n>', 'requests at once', integer(1, 256), 4)
    .option('--max-requests <n>', 'requests of this run at most', integer(1, 2 ** 31 - 1))
    .option('--timeout <seconds>', 'how long a review may take', number(1, 86_400), 300)
    .option('--retries <n>', 'how often a failed request is sent again', integer(0, 100), 5)
    .option('--stream', 'ask for streams, for servers that cut silent lines');
}

/** Declares what is judged. */
export function addJudgeFlags(command: Command): Command {
  return command
    .option('--questions <file>', '{question_id, image, text, category} as JSON lines')
    .option('--answers <file>', '{question_id, text}, the answers of the model')
    .option('--references <file>', '{question_id, text}, the answers that it is compared with')
    .option('--context <file>', 'descriptions of the pictures for the judge: {image, captions, instances} or {image, caption}')
    .option('--images <directory>', "the judge sees the pictures too: what the questions' images are relative to")
    .option('--run <directory>', 'judge the answers of a run of narrows evaluate instead of files')
    .option('--benchmark <name>', 'with --run: the set (default: the only one that needs a judge)')
    .option('--scenario <name>', 'with --run: answers under which shift', 'clean')
    .option(
      '--reviews <file>',
      "reviews that exist, ours or LLaVA's: no judge is asked; may be repeated, files without word on it are repeats",
      collect,
    )
    .option('--against <file>', 'reviews of another model on the same questions: the paired difference; may be repeated', collect)
    .option('--rules <file>', "what the judge is asked to do, in the form of LLaVA's rule.json (default: our own words)")
    .addOption(
      new Option('--order <which>', 'which answer is shown first').choices(['both', 'reference-first', 'model-first']).default('both'),
    )
    .addOption(
      new Option('--form <how>', 'marks: two marks from 1 to 10 (LLaVA-Bench); verdict: which answer is better (WildVision-Bench)')
        .choices(['marks', 'verdict'])
        .default('marks'),
    )
    .option('--repeats <n>', 'how often each comparison is asked in each order', integer(1, 1000), 1);
}

/** Orders that a flag names. */
export const ordersOf = (which: unknown): readonly Order[] =>
  which === 'both' ? ['reference first', 'model first'] : which === 'model-first' ? ['model first'] : ['reference first'];

/** Names of flags that a way in cannot do without. @throws NarrowsError (usage) that lists what is missing */
export function requireFlags(options: Options, names: readonly string[], why: string): void {
  const missing = names.filter(name => options[name] === undefined).map(name => `--${kebab(name)}`);
  if (missing.length > 0)
    throw new NarrowsError(`${why}; ${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} missing.`, { kind: 'usage' });
}

/** Opens the judge. @param cache file of its replies @throws as `Endpoint.open` */
export function openJudge(context: Context, options: Options, cache: string): Promise<Endpoint> {
  return Endpoint.open({
    url: options.endpoint as string,
    model: options.judgeModel as string,
    keyVariable: options.apiKeyEnv as string | undefined,
    cache,
    concurrency: options.concurrency as number,
    maxRequests: options.maxRequests as number | undefined,
    retries: options.retries as number,
    timeout: (options.timeout as number) * 1000,
    stream: options.stream === true,
    signal: context.signal,
    onWarning: message => context.log.warn(message),
  });
}

/** Flags that belong to one way in, and the flag that stands for the way. */
const BELONG: readonly (readonly [way: string, names: readonly string[]])[] = [
  ['run', ['benchmark', 'scenario']],
  [
    'endpoint',
    [
      'judgeModel',
      'apiKeyEnv',
      'temperature',
      'maxTokens',
      'concurrency',
      'maxRequests',
      'timeout',
      'retries',
      'stream',
      'repeats',
      'output',
    ],
  ],
];
/** Flags that exclude each other. */
const EXCLUDE: readonly (readonly [name: string, others: readonly string[]])[] = [
  ['run', ['questions', 'answers', 'references', 'context', 'images']],
  ['reviews', ['endpoint', 'images', 'rules']],
];

/** @throws NarrowsError (usage) for flags that would be ignored next to those that were given */
export function checkWays(given: ReadonlySet<string>): void {
  const refuse = (name: string, why: string): never => {
    throw new NarrowsError(`--${kebab(name)} ${why}.`, { kind: 'usage' });
  };
  for (const [way, names] of BELONG) {
    const stray = names.find(name => given.has(name));
    // A judge without an address is answered with all that is missing.
    if (stray && !given.has(way) && (way !== 'endpoint' || given.has('reviews'))) refuse(stray, `belongs to --${kebab(way)}`);
  }
  for (const [name, others] of EXCLUDE) {
    const other = given.has(name) ? others.find(each => given.has(each)) : undefined;
    if (other) refuse(other, `does not go with --${kebab(name)}`);
  }
}
