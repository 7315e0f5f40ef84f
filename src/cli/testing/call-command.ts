/** @file Calls a command as the program does, in the test's process: starting one takes longer than most of these tests. */
import { Command } from 'commander';
import { createColours } from '../../node/colours.ts';
import { createLogger } from '../../node/logger.ts';
import { createProgress } from '../../node/progress.ts';
import type { CommandModule } from '../command.ts';
import { explain } from '../errors.ts';

/** What a command wrote, and its exit code. */
export interface Called {
  stdout: string;
  stderr: string;
  code: number;
}

/** Calls a command with arguments. An error becomes its sentence in `stderr` and its exit code. */
export async function callCommand(
  module: CommandModule,
  args: readonly string[],
  { env = {}, columns = 80, seed = 0 }: { readonly env?: Record<string, string>; readonly columns?: number; readonly seed?: number } = {},
): Promise<Called> {
  const out = { stdout: '', stderr: '', code: 0 };
  const command = new Command('tested').exitOverride().configureOutput({ writeErr: () => {}, outputError: () => {} });
  command.option('--json');
  try {
    await module.configure(command);
    command.parse(args, { from: 'user' });
    const context = {
      json: command.opts().json === true,
      quiet: false,
      seed,
      signal: new AbortController().signal,
      log: createLogger({ stream: { write: (text: string) => (out.stderr += text) }, env }),
      colours: createColours({}, env),
      columns,
      print: (text: string) => {
        out.stdout += `${text}\n`;
      },
      progress: createProgress,
      status: () => {},
    };
    out.code = (await module.run(context, command.opts(), command.args, new Set())) ?? 0;
  } catch (error) {
    const { text = '', code } = explain(error);
    out.stderr += `narrows: ${text}\n`;
    out.code = code;
  }
  return out;
}
