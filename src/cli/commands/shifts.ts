/** @file `narrows shifts [NAME] [IMAGE]`: lists the shifts, describes one, applies one to a picture or a text. */
import { extname } from 'node:path';
import { type Command, Option } from 'commander';
import sharp from 'sharp';
import { decodeImage } from '../../inputs/image/decode.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { shiftImage, shiftText } from '../../shifts/apply.ts';
import { findShift, shifts } from '../../shifts/registry.ts';
import { NLPAUG_VERSIONS, type NlpaugVersion, type Shift } from '../../shifts/shift.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { collect, examples, integer, nameAmong, number } from '../flags.ts';
import { addPictureFlags, pictureOptions } from '../picture-flags.ts';
import { formatTable } from '../table.ts';

const usage = (message: string): NarrowsError => new NarrowsError(message, { kind: 'usage' });

function configure(command: Command): void {
  const name = (text: string): string => {
    const plain = text.replaceAll('-', '_');
    return nameAmong(() => shifts.map(s => s.name), 'shift')(plain);
  };
  addPictureFlags(command)
    .argument('[name]', 'a shift, to read about it or to apply it', name)
    .argument('[image]', 'the picture to change')
    .option('--text <text>', 'the text to change')
    .option('--severity <n>', 'how much: 1 to 5 for pictures, 1 to 7 (5 % of the words each) for texts', integer(1, 7), 3)
    .option('--output <file>', 'where the picture goes: a .png file')
    .option('--sample <n>', 'number of the picture or text: each draws different random numbers', integer(0), 0)
    .option(
      '--reference-size <pixels>',
      'scale lengths by (shorter side / this), as published for 224 (default: published pixels)',
      number(1),
    )
    .option('--protect <text>', 'keep this part of the text unchanged, e.g. <image> (may be repeated)', collect)
    .addOption(
      new Option('--nlpaug <version>', 'whose numbers the character shifts follow')
        .choices([...NLPAUG_VERSIONS])
        .default(NLPAUG_VERSIONS[0]),
    )
    .addHelpText(
      'after',
      examples(
        ['narrows shifts', 'List all shifts'],
        ['narrows shifts defocus_blur', 'Read about one'],
        ['narrows shifts defocus_blur photo.jpg --severity 3 --output blurred.png', 'Change a picture'],
        ['narrows shifts keyboard --text "Is there a cat in the picture?" --severity 4', 'Change a text'],
      ),
    );
}

const facts = ({ apply: _, ...rest }: Shift): Omit<Shift, 'apply'> => rest;

function list(context: Context): void {
  const rows = shifts.map(s => [s.name, s.modality, `1-${s.severities}`, s.summary]);
  if (context.json) context.print(JSON.stringify(shifts.map(facts)));
  else context.print(formatTable(['shift', 'changes', 'severity', 'what it does'], rows, context.columns));
}

function describe(context: Context, shift: Shift): void {
  const rows = [
    ['changes', shift.modality === 'image' ? 'a picture' : 'a text'],
    ['does', shift.summary],
    [shift.modality === 'image' ? 'severity 1 to 5' : 'severity r, 1 to 7', shift.constants],
    ...(shift.modality === 'image' ? [['--reference-size scales', shift.scaled || 'nothing']] : []),
    ['random', shift.random ? 'yes: --seed, --sample' : 'no'],
    ['source', shift.source],
  ];
  if (context.json) context.print(JSON.stringify(facts(shift)));
  else context.print(`${shift.name}\n\n${formatTable(['', ''], rows, context.columns)}`);
}

interface ShiftFlags {
  readonly text?: string;
  readonly severity: number;
  readonly output?: string;
  readonly sample: number;
  readonly referenceSize?: number;
  readonly protect?: readonly string[];
  readonly pictures?: ImageReadOptions;
  readonly nlpaug?: NlpaugVersion;
}

async function applyToImage(context: Context, name: string, path: string, flags: ShiftFlags): Promise<void> {
  const { severity, output, sample, referenceSize } = flags;
  if (output === undefined) throw usage('A shifted picture needs a place: add --output FILE.png.');
  if (extname(output).toLowerCase() !== '.png')
    throw usage(`A shifted picture is written as PNG, which changes nothing more; name it .png rather than ${output}.`);
  const { width, height, data } = await shiftImage(name, await decodeImage(path, flags.pictures), severity, {
    seed: context.seed,
    sample,
    referenceSize,
  });
  await writeFileAtomic(
    output,
    await sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false })
      .png()
      .toBuffer(),
  );
  if (context.json) context.print(JSON.stringify({ name, severity, seed: context.seed, sample, referenceSize, width, height, output }));
  else context.print(output);
}

async function run(context: Context, options: Options, [name, image]: readonly (string | undefined)[], given: ReadonlySet<string>) {
  const flags = { ...(options as unknown as ShiftFlags), pictures: pictureOptions(context, options) };
  if (name === undefined) list(context);
  else {
    const shift = findShift(name)!;
    if (image === undefined && flags.text === undefined) {
      const idle = ['output', 'severity', 'protect', 'referenceSize', 'sample', 'nlpaug'].find(flag => given.has(flag));
      if (idle)
        throw usage(
          `There is nothing to apply ${shift.name} to; give ${shift.modality === 'image' ? 'the path of a picture' : '--text "..."'}.`,
        );
      describe(context, shift);
    } else if (shift.modality === 'image') {
      if (image === undefined || flags.text !== undefined) throw usage(`${shift.name} changes pictures, not texts; give the path of one.`);
      await applyToImage(context, shift.name, image, flags);
    } else {
      if (flags.text === undefined || image !== undefined) throw usage(`${shift.name} changes texts, not pictures; give --text "...".`);
      const { text: before, severity, sample, protect, nlpaug } = flags;
      if (flags.output !== undefined) throw usage('A shifted text goes to standard output; leave --output away.');
      const text = shiftText(shift.name, before, severity, { seed: context.seed, sample, protect, nlpaug });
      context.print(context.json ? JSON.stringify({ name: shift.name, severity, seed: context.seed, sample, text }) : text);
    }
  }
  return undefined;
}

/** `narrows shifts [NAME] [IMAGE]`. */
export const shiftsCommand: CommandModule = { configure, run };
