/** @file `narrows serve --openai`: a LLaVA behind the chat interface that OpenAI's clients speak. */
import type { Command } from 'commander';
import { isLoopback, keyOf } from '../../generation/endpoint/address.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { DEFAULT_CHAT_MODEL } from '../../models/bundled.ts';
import { workerRuntime } from '../../runtime/worker.ts';
import { NarrowsError } from '../../system/errors.ts';
import { addAnswerFlags, answerOptions, chatOptions, sayWarnings } from '../chat/flags.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { examples, integer, memory } from '../flags.ts';
import { pictureOptions } from '../picture-flags.ts';
import { startServer } from '../serve/server.ts';

function configure(command: Command): void {
  command
    .option('--openai', "speak OpenAI's chat interface: /v1/chat/completions, /v1/models (needed: there is no other yet)")
    .option('--port <n>', 'port; 0 takes a free one', integer(0, 65_535), 0)
    .option('--host <address>', 'address to listen at; others than 127.0.0.1 let other machines in', '127.0.0.1')
    .option('--served-name <name>', "the model's name in requests and replies (default: its own)")
    .option('--token-env <variable>', 'environment variable that holds the bearer token which requests must bring (default: none needed)')
    .option('--cors <origin>', 'origin of web pages that may ask, such as http://localhost:3000 (default: none)')
    .option('--max-body <size>', 'largest request', memory, 32 * 2 ** 20)
    .option('--max-queue <n>', 'requests that may wait; more are sent away with 503', integer(1, 100_000), 256);
  addAnswerFlags(command, { maxNewTokens: 128 }).addHelpText(
    'after',
    `\nFlags about answers count where a request is silent. The address stands on stdout; Ctrl-C ends the server.\n${examples(
      ['narrows serve --openai --port 8000', `Serve the shipped ${DEFAULT_CHAT_MODEL} to programs of this machine`],
      ['narrows serve --openai --model ./my-llava --host 0.0.0.0 --token-env SERVE_TOKEN', 'Serve your own to others, with a token'],
    )}`,
  );
}

/** Resolves when Ctrl-C ends the server. */
const interrupted = (signal: AbortSignal): Promise<void> =>
  new Promise(done => {
    // Listening keeps the process alive; this promise alone would not.
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });

async function run(context: Context, options: Options): Promise<undefined> {
  if (options.openai !== true) throw new NarrowsError('narrows serve speaks one interface so far: add --openai.', { kind: 'usage' });
  const defaults = answerOptions(context, options);
  const token = options.tokenEnv === undefined ? undefined : keyOf(options.tokenEnv as string, process.env);
  const host = options.host as string;
  if (!isLoopback(host.includes(':') ? `[${host}]` : host))
    context.log.warn(
      `Other machines may reach this server${token === undefined ? ', and anyone may ask, since no --token-env is given' : ''}; what is sent is not encrypted.`,
    );
  context.status('Reading the model');
  const runtime = workerRuntime();
  try {
    await using chat = await ChatModel.open(options.model as string, { ...chatOptions(context, options), runtime });
    context.status();
    sayWarnings(context, chat);
    await using server = await startServer({
      ...{ chat, defaults, host, token },
      system: options.system as string | undefined,
      pictures: pictureOptions(context, options),
      modelName: options.servedName as string | undefined,
      port: options.port as number,
      maxBody: options.maxBody as number,
      maxQueue: options.maxQueue as number,
      cors: options.cors as string | undefined,
      signal: context.signal,
      log: context.log,
    });
    const model = (options.servedName as string | undefined) ?? chat.name;
    context.print(context.json ? JSON.stringify({ url: server.url, model }) : server.url);
    context.log.info(`Serving ${model} with the template ${chat.template.name}; Ctrl-C ends the server.`);
    await interrupted(context.signal);
  } finally {
    await runtime.release?.();
  }
  context.signal.throwIfAborted();
  return undefined;
}

/** `narrows serve`. */
export const serveCommand: CommandModule = { configure, run };
