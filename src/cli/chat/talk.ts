/** @file A talk by lines: questions and /commands come in, answers go out token by token. Knows nothing of terminals or processes. */
import type { Answer, ChatSession } from '../../generation/chat-session.ts';
import type { GenerationOptions } from '../../generation/generate.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import { NarrowsError } from '../../system/errors.ts';

/** Where a talk's words go. */
export interface TalkOutput {
  /** A piece of an answer. */
  piece(text: string): void;
  /** An answer is whole. */
  answered(answer: Answer): void;
  /** A question was refused or stopped; whoever asked should know. */
  problem(sentence: string): void;
  /** What a command did. */
  note(sentence: string): void;
}

/** The commands, for help. */
export const TALK_HELP = [
  '/image FILE  begin again with this picture',
  '/add FILE    one more picture for the next question',
  '/reset       begin again with the same pictures',
  '/help        this list',
  '/exit        leave (also Ctrl-D)',
].join('\n');

/** What a line led to. */
export type Outcome = 'answered' | 'done' | 'failed' | 'aborted' | 'exit';

/** Takes lines one after the other. */
export class Talk {
  /** Refused questions and commands so far. */
  failures = 0;

  constructor(
    readonly session: ChatSession,
    private readonly options: GenerationOptions,
    private readonly output: TalkOutput,
    /** How pictures are read. */
    private readonly pictures: ImageReadOptions = {},
  ) {}

  /**
   * One line: a question, or a command if it begins with a slash. Bad input is reported in the output and ends nothing.
   * @param signal ends an answer; the conversation is then as if the question had not been asked
   */
  async line(text: string, signal?: AbortSignal): Promise<Outcome> {
    const line = text.trim();
    if (line === '') return 'done';
    try {
      if (line.startsWith('/')) return await this.command(line);
      await this.ask(line, signal);
      return 'answered';
    } catch (error) {
      if (signal?.aborted) return 'aborted';
      if (!(error instanceof NarrowsError)) throw error;
      this.failures++;
      this.output.problem(error.message);
      return 'failed';
    }
  }

  private async ask(question: string, signal?: AbortSignal): Promise<void> {
    const answer = this.session.ask(question, { ...this.options, signal });
    for (;;) {
      const { done, value } = await answer.next();
      if (done) return this.output.answered(value);
      this.output.piece(value);
    }
  }

  private async command(line: string): Promise<Outcome> {
    const [, name, rest] = /^(\S+)\s*(.*)$/.exec(line) as RegExpExecArray;
    const file = rest.replace(/^(['"])(.*)\1$/, '$2');
    const needFile = (): string => {
      if (file === '') throw new NarrowsError(`${name} needs the path of a picture, such as ${name} photo.jpg.`);
      return file;
    };
    const { session, output } = this;
    switch (name) {
      case '/image':
        session.restart([await decodeImage(needFile(), this.pictures)]);
        output.note(`A new conversation about ${file}.`);
        return 'done';
      case '/add':
        session.add(await decodeImage(needFile(), this.pictures));
        output.note(`${file} comes with the next question.`);
        return 'done';
      case '/reset':
        session.restart();
        output.note(session.pending ? 'A new conversation about the same pictures.' : 'A new conversation.');
        return 'done';
      case '/help':
        output.note(TALK_HELP);
        return 'done';
      case '/exit':
      case '/quit':
        return 'exit';
      default:
        throw new NarrowsError(`There is no command ${name}; /help lists them.`);
    }
  }
}
