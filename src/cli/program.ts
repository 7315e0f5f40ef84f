/** @file The command tree: global flags, the commands of the registry, and how a call reaches its command. */

import { Command, CommanderError, Option } from 'commander';
import { createColours } from '../node/colours.ts';
import { createLogger } from '../node/logger.ts';
import type { Ranks } from '../node/mpi/ranks.ts';
import { createProgress } from '../node/progress.ts';
import { canRewrite, setStatus } from '../node/status-line.ts';
import { DEVICES } from '../runtime/device.ts';
import { silent } from '../system/log.ts';
import { nearestNames } from '../system/nearest-names.ts';
import { version } from '../system/version.ts';
import { visible } from '../system/visible.ts';
import type { CommandModule, Context, Options } from './command.ts';
import { type CommandEntry, commands, groups } from './commands/registry.ts';
import { applyConfig, readConfigFile } from './config-file.ts';
import { EXIT } from './errors.ts';
import { examples, integer } from './flags.ts';
import { pluginsOf } from './plugins.ts';
import { shared, speaks } from './ranks.ts';
import { ownersOf } from './schema-flags.ts';

/** Global flags that take a value: their values are no command names. */
const WITH_VALUE = new Set(['--config', '--seed', '--device']);

/** The words of a call that may name a command. */
function words(argv: readonly string[]): string[] {
  const found: string[] = [];
  for (let i = 0; i < argv.length && found.length < 3; i++) {
    if (argv[i] === '--') break;
    if (WITH_VALUE.has(argv[i])) i++;
    else if (!argv[i].startsWith('-')) found.push(argv[i]);
  }
  return found[0] === 'help' ? found.slice(1) : found;
}

/** The command that a call means, if it means one: of `evaluate` and `evaluate compare` the longer one. */
export function meantCommand(argv: readonly string[]): CommandEntry | undefined {
  const said = words(argv);
  const fitting = commands.filter(({ name }) => name.split(' ').every((part, i) => said[i] === part));
  return fitting.sort((a, b) => b.name.length - a.name.length)[0];
}

const flagged = (argv: readonly string[], flag: string): boolean => {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes(flag);
};

/** Whether stacks shall be printed; needed before anything has been parsed. */
export const wantsDebug = (argv: readonly string[]): boolean => flagged(argv, '--debug') || Boolean(process.env.NARROWS_DEBUG);

/** What a call is run in. */
interface Frame {
  readonly signal: AbortSignal;
  readonly ranks?: Ranks;
}

function createContext(global: Options, { signal, ranks }: Frame, argv: readonly string[]): Context {
  // Worker threads read it too.
  if (global.device !== undefined) process.env.NARROWS_DEVICE = global.device as string;
  const mute = !speaks(ranks);
  const quiet = global.quiet === true || mute;
  const live = !quiet && canRewrite(process.stderr);
  const colours = createColours(process.stdout);
  return {
    json: global.json === true,
    quiet,
    seed: global.seed as number,
    signal,
    ...(ranks ? { ranks } : {}),
    log: mute ? silent : createLogger({ quiet, debug: wantsDebug(argv) }),
    colours,
    columns: process.stdout.columns || 80,
    print: text => void (mute || process.stdout.write(`${visible(text, colours.enabled)}\n`)),
    progress: options => createProgress({ quiet, ...options }),
    status: text => {
      if (live) setStatus(process.stderr, text);
    },
  };
}

/** Everything a command and all its ancestors say about themselves goes through these settings. */
function settle(command: Command): Command {
  return command
    .exitOverride()
    .showSuggestionAfterError(true)
    .allowExcessArguments(false)
    .configureHelp({ showGlobalOptions: true, sortOptions: false })
    .configureOutput({ outputError: () => {} });
}

function declare(program: Command, entry: CommandEntry): Command {
  const parts = entry.name.split(' ');
  let parent = program;
  for (const group of parts.slice(0, -1)) {
    parent =
      parent.commands.find(c => c.name() === group) ?? settle(parent.command(group).description(groups[group] ?? group)).helpCommand(false);
  }
  return settle(parent.command(parts[parts.length - 1]).description(entry.summary)).helpCommand(false);
}

async function install(command: Command, module: CommandModule, frame: Frame, argv: readonly string[], done: (code: number) => void) {
  await module.configure(command);
  command.action(async (...args: unknown[]) => {
    const positional = args.slice(0, command.registeredArguments.length) as (string | undefined)[];
    const file = command.optsWithGlobals().config as string | undefined;
    const values = file === undefined ? undefined : await readConfigFile(file);
    if (values && file !== undefined && !module.rawConfig) applyConfig(command, values, file);
    const options = command.optsWithGlobals();
    const given = new Set(
      Object.keys(options).filter(key => ['cli', 'config'].includes(command.getOptionValueSourceWithGlobals(key) ?? '')),
    );
    const base = createContext(options, frame, argv);
    const config = values && file !== undefined && module.rawConfig ? { values, file } : undefined;
    done((await shared(module, { ...base, config }, context => module.run(context, options, positional, given))) ?? EXIT.done);
  });
}

/**
 * Parses a call and runs its command. Only the module of that command is loaded.
 * @returns the exit code. @throws CommanderError, NarrowsError, Interrupted: for `explain`
 */
export async function runProgram(argv: readonly string[], signal: AbortSignal, ranks?: Ranks): Promise<number> {
  const program = settle(new Command('narrows'))
    .description('See what an image–text model relies on, in nats: information bottlenecks inside CLIP-like models.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print help')
    .option('--config <file>', 'JSON file whose keys are flags; the command line is stronger')
    .option('--seed <n>', 'seed of every random number', integer(0), 0)
    .option('--json', 'data as JSON on stdout, everything else on stderr')
    .addOption(new Option('--device <name>', 'on what models run; without it the processor').choices(DEVICES))
    .option('--quiet', 'no progress and no notes on stderr, only warnings and errors')
    .option('--debug', 'details on stderr; errors with their stack')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText(
      'after',
      examples(
        ['narrows attribute', 'Explain the shipped example with the shipped model'],
        [
          'narrows attribute photo.jpg "a dog on a beach" --model openai/clip-vit-base-patch32',
          'Explain your own picture with a model from the hub',
        ],
        ['narrows attribute --help', 'Read the flags of a command'],
      ),
    );
  const plugins = pluginsOf(argv);
  if (plugins.length > 0) await (await import('../evaluation/extensions.ts')).loadExtensions({ plugins });
  const meant = meantCommand(argv);
  let code: number = EXIT.done;
  for (const entry of commands) {
    const command = declare(program, entry);
    if (entry === meant)
      await install(command, await entry.load(), { signal, ranks }, argv, value => {
        code = value;
      });
  }
  // `narrows help models info` is `narrows models info --help`.
  const help = argv[0] === 'help' && argv.length > 1;
  try {
    await program.parseAsync(help ? [...argv.slice(1), '--help'] : [...argv], { from: 'user' });
  } catch (error) {
    throw meant ? withHiddenFlags(error, program, meant) : error;
  }
  return code;
}

/**
 * Commander suggests only flags that its help lists; those of the many methods are listed elsewhere. Of flags that are equally near, one that
 * the chosen method takes comes first; a flag that it does not take is suggested with the methods that do.
 */
function withHiddenFlags(error: unknown, program: Command, meant: CommandEntry): unknown {
  if (!(error instanceof CommanderError) || error.code !== 'commander.unknownOption') return error;
  const command = meant.name.split(' ').reduce<Command | undefined>((c, name) => c?.commands.find(one => one.name() === name), program);
  const said = /'(--[^']*)'/.exec(error.message)?.[1] ?? '';
  const known = [command, program].flatMap(c => c?.options ?? []).filter(o => o.long !== undefined);
  const usable = known.filter(o => ownersOf(o)?.isChosen() !== false);
  const order = [...usable, ...known.filter(o => !usable.includes(o))];
  const [near] = nearestNames(
    said,
    order.map(o => o.long ?? ''),
    1,
  );
  if (near === undefined) return error;
  const option = order.find(o => o.long === near)!;
  const owners = usable.includes(option) ? '' : `, an option of ${ownersOf(option)!.text()}`;
  const [first] = error.message.split('\n');
  return new CommanderError(error.exitCode, error.code, `${first}\n(Did you mean ${near}${owners}?)`);
}
