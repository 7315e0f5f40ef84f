/** @file `narrows studio`: the studio's page on this machine, with Node's engine behind it. */
import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { DEFAULT_MODEL } from '../../models/bundled.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { collect, examples, integer } from '../flags.ts';
import { startStudioServer } from '../studio/http-server.ts';
import { NodeBackend } from '../studio/node-backend.ts';
import { NOT_BUILT, pageFolder } from '../studio/page-files.ts';
import { openSource } from '../studio/sources.ts';

function configure(command: Command): void {
  command
    .option('--model <name>', 'the model at first: shipped model, directory, or org/name[@revision]', DEFAULT_MODEL)
    .option(
      '--data <path>',
      'list or folder of pictures with captions, results of narrows compare, output of narrows evaluate; may be repeated',
      collect,
    )
    .option('--pictures <folder>', "folder outside of a list's own in which its pictures may lie; may be repeated", collect)
    .option('--port <n>', 'port; 0 takes a free one', integer(0, 65_535), 0)
    .option('--no-open', 'print the address, and open no browser')
    .addHelpText(
      'after',
      `\nThe page is for this machine only (127.0.0.1); its address holds a token of this start. Ctrl-C ends it.\n${examples(
        ['narrows studio', 'Open the studio with the shipped model'],
        ['narrows studio --model ./my-clip --data captions.csv', 'Open it with a model and a list of pairs of your own'],
        ['narrows studio --data out/compare --data out/evaluation --no-open', 'Look at results'],
      )}`,
    );
}

/** Opens an address in the person's browser; where that fails, the address stands in the terminal anyway. */
function openBrowser(url: string): void {
  const [program, ...args] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['cmd', '/c', 'start', '""'] : ['xdg-open'];
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}

/** Resolves when Ctrl-C ends the studio. */
const interrupted = (signal: AbortSignal): Promise<void> =>
  new Promise(done => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });

async function run(context: Context, options: Options): Promise<undefined> {
  const sources = [];
  for (const path of (options.data as string[] | undefined) ?? []) sources.push(await openSource(path));
  const page = pageFolder();
  await using backend = new NodeBackend({
    ...{ context, sources, page },
    model: options.model as string,
    pictureFolders: (options.pictures as string[] | undefined) ?? [],
  });
  await using server = await startStudioServer({ backend, page, port: options.port as number, log: context.log });
  if (!server.built) context.log.warn(NOT_BUILT);
  context.print(context.json ? JSON.stringify({ url: server.url, origin: server.origin, token: server.token }) : server.url);
  context.log.info('The address is for this start and this machine only; Ctrl-C ends the studio.');
  if (server.built && options.open !== false && !context.json && process.stdout.isTTY) openBrowser(server.url);
  await interrupted(context.signal);
  context.signal.throwIfAborted();
  return undefined;
}

/** `narrows studio`. */
export const studioCommand: CommandModule = { configure, run };
