/**
 * @file `npm run torture -- fuzz|kill|disk|hub|soak`: what docs/reliability.md promises, tried for as long as you like.
 * usage: npm run torture -- PROGRAM [--cases N] [--minutes N] [--seed N] [--only KIND] [--output DIR] [--built] [--launcher 'mpirun -n 2']
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repository } from '../test/support.ts';
import { PROGRAMS } from './programs.ts';
import { useBuilt, useLauncher } from './shared/call.ts';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cases: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    output: { type: 'string', default: join(repository, '.torture') },
    built: { type: 'boolean', default: false },
    launcher: { type: 'string' },
  },
});

function stop(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

const [name, ...more] = positionals;
const program = PROGRAMS[name as keyof typeof PROGRAMS];
if (!program || more.length > 0)
  stop(
    `Name one program:\n${Object.entries(PROGRAMS)
      .map(([word, { summary }]) => `  ${word.padEnd(5)} ${summary}`)
      .join('\n')}`,
  );

function number(flag: 'cases' | 'minutes' | 'seed', missing: number): number {
  const value = flags[flag] === undefined ? missing : Number(flags[flag]);
  return Number.isFinite(value) && value >= 0 ? value : stop(`--${flag} takes a number from 0, not "${flags[flag]}".`);
}

if (flags.built) useBuilt();
if (flags.launcher) useLauncher(flags.launcher.split(' '));
const [seed, cases, minutes] = [number('seed', 1), number('cases', program.cases), number('minutes', 60)];
const say = (text: string): void => void process.stderr.write(`${text}\n`);
say(`${name}: seed ${seed}, at most ${cases} cases and ${minutes} minutes; logs and findings in ${flags.output}`);
const until = Date.now() + 60_000 * minutes;
const { figures, findings } = await program.run({ seed, cases, until, output: flags.output, only: flags.only, say });
process.stdout.write(`${figures}\n\n${findings === 0 ? 'Nothing found.' : `${findings} findings.`}\n`);
process.exit(findings === 0 ? 0 : 1);
