/** @file `narrows chat`: a LLaVA answers questions about pictures, in the terminal, from a pipe, or one question at once. */

import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { type Answer, ChatSession } from '../../generation/chat-session.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { DEFAULT_CHAT_MODEL } from '../../models/bundled.ts';
import { NarrowsError } from '../../system/errors.ts';
import { visible } from '../../system/visible.ts';
import { addAnswerFlags, answerOptions, chatOptions, sayWarnings } from '../chat/flags.ts';
import { TALK_HELP, Talk, type TalkOutput } from '../chat/talk.ts';
import { talkInTerminal } from '../chat/terminal.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { EXIT } from '../errors.ts';
import { collect, examples } from '../flags.ts';
import { pictureOptions } from '../picture-flags.ts';

function configure(command: Command): void {
  command.option('--image <file>', 'picture that the first question is about, may be repeated (default: none, only words)', collect);
  command.option('--question <text>', 'ask this and exit; may be repeated for a conversation', collect);
  addAnswerFlags(command, { maxNewTokens: 128 }).addHelpText(
    'after',
    `\nIn the conversation:\n${TALK_HELP.replace(/^/gm, '  ')}\n  Ctrl-C ends an answer; another one leaves.\n\nWithout a terminal, each line of standard input is a question.\n${examples(
      ['narrows chat --image photo.png', `Talk about a picture with the shipped ${DEFAULT_CHAT_MODEL}`],
      ['narrows chat --image photo.png --question "how many things are there ?"', 'Ask one question'],
      ['narrows chat --model ./my-llava --image a.png --json < questions.txt', 'Ask many; one JSON line per answer'],
      ['narrows chat --temperature 0.7 --top-p 0.9 --seed 3', 'Draw answers instead of taking the likeliest token'],
    )}`,
  );
}

/** One line of `--json`. */
const jsonLine = (answer: Answer, chat: ChatModel): string =>
  JSON.stringify({
    ...{ ...answer, seconds: Number(answer.seconds.toFixed(3)), model: chat.name, template: chat.template.name },
    ...(chat.warnings.length ? { warnings: chat.warnings } : {}),
  });

function outputOf(context: Context, chat: ChatModel, once: boolean): TalkOutput {
  let problems = 0;
  return {
    piece: text => {
      if (!context.json) process.stdout.write(visible(text));
    },
    answered: answer => {
      context.print(context.json ? jsonLine(answer, chat) : '');
      const speed = `${answer.tokens} tokens in ${answer.seconds.toFixed(2)} s, ${answer.promptTokens} read`;
      context.log.debug(answer.finish === 'length' ? `${speed}; cut by --max-new-tokens or the model's limit` : speed);
    },
    problem: sentence => {
      if (once) throw new NarrowsError(sentence);
      // An answer to what was typed: said again when that is typed again.
      context.log.warn(sentence, `problem ${problems++}`);
    },
    note: sentence => context.log.info(sentence),
  };
}

/** Lines of a stream that is no terminal, and whether one of them failed. */
async function talkByLines(context: Context, talk: Talk, lines: AsyncIterable<string> | Iterable<string>): Promise<number> {
  for await (const line of lines) {
    const outcome = await talk.line(line, context.signal);
    context.signal.throwIfAborted();
    if (outcome === 'exit') break;
  }
  return talk.failures ? EXIT.failed : EXIT.done;
}

async function run(context: Context, options: Options): Promise<number> {
  const questions = options.question as string[] | undefined;
  const answers = answerOptions(context, options);
  const pictures = pictureOptions(context, options);
  const images = await Promise.all(((options.image as string[] | undefined) ?? []).map(path => decodeImage(path, pictures)));
  context.status('Reading the model');
  await using chat = await ChatModel.open(options.model as string, chatOptions(context, options));
  context.status();
  sayWarnings(context, chat);
  const session = new ChatSession(chat, options.system as string | undefined);
  session.restart(images);
  const talk = new Talk(session, answers, outputOf(context, chat, questions !== undefined), pictures);
  if (questions) return talkByLines(context, talk, questions);
  if (!process.stdin.isTTY || context.json) {
    const lines = createInterface({ input: process.stdin, terminal: false });
    const close = (): void => lines.close();
    context.signal.addEventListener('abort', close, { once: true });
    return talkByLines(context, talk, lines);
  }
  context.log.info(
    `${chat.name}, template ${chat.template.name}${images.length ? `, ${images.length === 1 ? 'one picture' : `${images.length} pictures`}` : ', no picture'}. /help lists what else can be typed.`,
  );
  return talkInTerminal(talk, { input: process.stdin, output: process.stdout, colours: context.colours, signal: context.signal });
}

/** `narrows chat`. */
export const chatCommand: CommandModule = { configure, run };
