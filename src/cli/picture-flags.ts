/** @file The flags of every command that reads picture files: --auto-orient and --window. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { TAG_FORM } from '../inputs/image/dicom/kept-tags.ts';
import { type ImageReadOptions, type ImageWindow, parseWindow, WINDOW_FORM } from '../inputs/image/image-reading.ts';
import type { Context, Options } from './command.ts';
import { integer } from './flags.ts';

/** Warnings of one kind that are said picture by picture; later ones only as more. */
const NAMED = 5;

function imageWindow(text: string): ImageWindow {
  const window = parseWindow(text);
  if (window === undefined) throw new InvalidArgumentError(WINDOW_FORM);
  return window;
}

/** `--window` where a method has an option of that name too, a whole number of patches: the form shows which is meant, and both may be given. */
export interface SharedWindow {
  readonly pictures?: ImageWindow;
  readonly method?: number;
}

function sharedWindow(text: string, before: SharedWindow = {}): SharedWindow {
  return /^\s*\d+\s*$/.test(text) ? { ...before, method: Number(text) } : { ...before, pictures: imageWindow(text) };
}

/** Tags separated by semicolons or blanks, or by commas where they have none inside. */
function tagList(text: string): string[] {
  const tags = text.match(/[0-9a-f]{4},? ?[0-9a-f]{4}/gi) ?? [];
  if (tags.join('').replace(/[, ]/g, '') !== text.replace(/[(),; ]/g, '') || tags.length === 0) throw new InvalidArgumentError(TAG_FORM);
  return tags;
}

/** Declares the flags. @param shared the command's methods have an option `--window` too (see `SharedWindow`) */
export function addPictureFlags(command: Command, { shared = false } = {}): Command {
  const window = new Option(
    '--window <range>',
    'pictures of more than 8 bits: values that become black and white: LOW,HIGH; auto: chosen from the values of the picture (of DICOM: its own window; voi:2: its second); pillow: as Pillow reads them (default: auto)',
  );
  if (shared) window.argParser<SharedWindow>(sharedWindow);
  else window.argParser(imageWindow);
  return command
    .option('--auto-orient', 'turn pictures upright by their orientation tag (default: as stored, with a warning)')
    .addOption(window)
    .option('--frame <n>', 'of DICOM files of several frames: which one, from 1', integer(1, 1_000_000))
    .option('--keep-tags <list>', 'of DICOM files: tags, such as 0018,0015, whose texts go into results (default: none)', tagList);
}

/** How pictures are read, without a word about it: for results that carry the warnings themselves. */
export const quietPictureOptions = (options: Options): Pick<ImageReadOptions, 'autoOrient' | 'window' | 'frame' | 'keepTags'> => ({
  autoOrient: options.autoOrient === true,
  window: options.window as ImageWindow | undefined,
  ...(options.frame === undefined ? {} : { frame: options.frame as number }),
  ...(options.keepTags === undefined ? {} : { keepTags: options.keepTags as string[] }),
});

/** How pictures are read; what is to be said of them goes to the log, a few pictures by name. */
export function pictureOptions(context: Pick<Context, 'log'>, options: Options): ImageReadOptions {
  const said = new Map<string, Set<string>>();
  const limited = (say: (message: string) => void, kind: string, message: string): void => {
    const known = said.get(kind) ?? new Set();
    said.set(kind, known);
    if (known.has(message) || known.size > NAMED) return;
    known.add(message);
    say(known.size > NAMED ? `The same holds for more pictures (${kind}), which are not named one by one.` : message);
  };
  return {
    ...quietPictureOptions(options),
    onWarning: (message, kind) => limited(context.log.warn, kind, message),
    onNote: message => limited(context.log.info, 'how they are read', message),
  };
}
