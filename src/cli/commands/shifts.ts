/** @file `narrows shifts [NAME] [INPUT]`: lists the shifts and suites, describes one, applies a shift to a picture, a text, or many of them. */
import { createHash } from 'node:crypto';
import { extname, join } from 'node:path';
import { Endpoint } from '../../generation/endpoint/client.ts';
import { endpointTranslator } from '../../generation/endpoint/translator.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { readFile, stat } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { shiftImage, shiftTextAsync } from '../../shifts/apply.ts';
import { checkCompat, shiftRemarks } from '../../shifts/compat.ts';
import { readFrostTextures } from '../../shifts/frost-textures.ts';
import { findShift } from '../../shifts/registry.ts';
import { atSeverity, type ImageShift, type ImageShiftOptions, type TextShift } from '../../shifts/shift.ts';
import { findSuite } from '../../shifts/suites/registry.ts';
import type { Translator } from '../../shifts/text/translator.ts';
import { readTranslations } from '../../shifts/translations.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { kebab } from '../flags.ts';
import { pictureOptions } from '../picture-flags.ts';
import { shiftFolder, shiftPicturesOf, shiftTextsOf } from '../shifts/apply-many.ts';
import { describeShift, describeSuite, listShifts } from '../shifts/describe.ts';
import { configureShifts, IMAGE_FLAGS, type ShiftFlags, TEXT_FLAGS, TRANSLATION_FLAGS } from '../shifts/flags.ts';
import { encodePicture } from '../shifts/pictures.ts';

const usage = (message: string): NarrowsError => new NarrowsError(message, { kind: 'usage' });
const hashOf = (parts: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 16);
};

type Input = { readonly kind: 'picture' | 'folder' | 'questions'; readonly path: string };

/** @throws NarrowsError (usage) where there is no such file or folder */
async function inputOf(path: string): Promise<Input> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw usage(`There is no file or folder ${path}; check the path.`);
  if (found.isDirectory()) return { kind: 'folder', path };
  return { kind: /\.(jsonl?|ndjson)$/i.test(path) ? 'questions' : 'picture', path };
}

async function imageOptions(flags: ShiftFlags): Promise<{ options: ImageShiftOptions; given: object }> {
  const { referenceSize, compat, frostTextures: directory } = flags;
  if (directory === undefined) return { options: { referenceSize, compat }, given: {} };
  const frostTextures = await readFrostTextures(directory);
  return { options: { referenceSize, compat, frostTextures }, given: { frostTextures: hashOf(frostTextures.map(t => t.data)) } };
}

async function applyToImage(context: Context, shift: ImageShift, path: string, flags: ShiftFlags): Promise<void> {
  const { severity, output, sample, referenceSize, compat } = flags;
  if (output === undefined) throw usage('A shifted picture needs a place: add --output FILE.png.');
  if (extname(output).toLowerCase() !== '.png')
    throw usage(`A shifted picture is written as PNG, which changes nothing more; name it .png rather than ${output}.`);
  const { options, given } = await imageOptions(flags);
  const remarks = shiftRemarks(shift, options);
  const picture = await shiftImage(shift.name, await decodeImage(path, flags.pictures), severity, {
    seed: context.seed,
    sample,
    ...options,
  });
  await writeFileAtomic(output, await encodePicture(picture, 'png'));
  for (const remark of remarks) context.log.warn(remark);
  const { width, height } = picture;
  const result = { name: shift.name, severity, seed: context.seed, sample, referenceSize, compat, ...given, width, height, output };
  if (context.json) context.print(JSON.stringify({ ...result, ...(remarks.length ? { remarks } : {}) }));
  else context.print(output);
}

async function imageShift(context: Context, shift: ImageShift, input: Input, flags: ShiftFlags): Promise<number | undefined> {
  if (input.kind === 'picture') {
    await applyToImage(context, shift, input.path, flags);
    return undefined;
  }
  if (flags.output === undefined) throw usage('Many shifted pictures need a place: add --output DIR.');
  const request = { shift, input: input.path, output: flags.output, severity: flags.severity, flags, ...(await imageOptions(flags)) };
  return (input.kind === 'folder' ? shiftFolder : shiftPicturesOf)(context, { ...request, given: { ...request.given } });
}

interface Translating extends AsyncDisposable {
  readonly translator?: Translator;
  readonly given: Readonly<Record<string, unknown>>;
}

/** Who translates, by the flags. @throws NarrowsError (usage) for flags that do not fit together */
async function openTranslator(context: Context, { translations, endpoint: url, modelName, output }: ShiftFlags): Promise<Translating> {
  const nothing = { [Symbol.asyncDispose]: async () => {} };
  if (translations !== undefined && url !== undefined)
    throw usage('Translations come from --translations or from --endpoint; leave one of them away.');
  if (translations !== undefined) {
    const translator = await readTranslations(translations);
    return { ...nothing, translator, given: { translations: hashOf([await readFile(translations)]) } };
  }
  if (url === undefined) return { ...nothing, given: {} };
  if (modelName === undefined) throw usage('--endpoint needs --model-name: the name that the server gives the model.');
  const endpoint = await Endpoint.open({
    url,
    model: modelName,
    ...(output === undefined ? {} : { cache: join(output, 'replies.jsonl') }),
    signal: context.signal,
    onWarning: message => context.log.warn(message),
  });
  return { translator: endpointTranslator(endpoint), given: { translator: modelName }, [Symbol.asyncDispose]: () => endpoint.close() };
}

async function textShift(context: Context, shift: TextShift, input: Input | undefined, flags: ShiftFlags): Promise<undefined> {
  const { text, severity, sample, protect, nlpaug, language, suffix, output } = flags;
  if (input && output === undefined) throw usage('A file of shifted questions needs a place: add --output DIR.');
  if (!input && output !== undefined) throw usage('A shifted text goes to standard output; leave --output away.');
  await using translating = await openTranslator(context, flags);
  const options = { protect, nlpaug, language, suffix, translator: translating.translator };
  if (input)
    return shiftTextsOf(context, { shift, input: input.path, output: output!, severity, flags, options, given: translating.given });
  const changed = await shiftTextAsync(shift.name, text!, severity, { seed: context.seed, sample, ...options });
  context.print(context.json ? JSON.stringify({ name: shift.name, severity, seed: context.seed, sample, text: changed }) : changed);
  return undefined;
}

/** @throws NarrowsError (usage) for flags of the other modality, and for input that the shift does not change */
function checkFlags(shift: ImageShift | TextShift, input: Input | undefined, flags: ShiftFlags, given: ReadonlySet<string>): void {
  if (shift.modality === 'image' && (input === undefined || flags.text !== undefined))
    throw usage(`${shift.name} changes pictures, not texts; give the path of one.`);
  if (shift.modality === 'text' && input !== undefined && (flags.text !== undefined || input.kind !== 'questions'))
    throw usage(`${shift.name} changes texts, not pictures; give --text "..." or a .jsonl file of questions.`);
  const foreign = (shift.modality === 'image' ? TEXT_FLAGS : IMAGE_FLAGS).find(flag => given.has(flag));
  if (foreign)
    throw usage(
      `--${kebab(foreign)} has no meaning for ${shift.name}, which changes ${shift.modality === 'image' ? 'pictures' : 'texts'}; leave it away.`,
    );
  const translating = shift.name === 'translation' ? undefined : TRANSLATION_FLAGS.find(flag => given.has(flag));
  if (translating) throw usage(`--${kebab(translating)} belongs to translation, not to ${shift.name}.`);
  if (given.has('frostTextures') && shift.name !== 'frost') throw usage(`--frost-textures belongs to frost, not to ${shift.name}.`);
  if (input && input.kind !== 'picture' && given.has('sample'))
    throw usage('Of many, each has its place as its number; leave --sample away.');
  checkCompat(shift.name, { compat: flags.compat });
  atSeverity(shift.name, flags.severity, Array<null>(shift.severities).fill(null));
}

async function run(context: Context, options: Options, [name, path]: readonly (string | undefined)[], given: ReadonlySet<string>) {
  if (name === undefined) {
    listShifts(context);
    return undefined;
  }
  const suite = findSuite(name);
  if (suite) {
    if (path !== undefined || options.text !== undefined)
      throw usage(`${suite.name} is a suite of many shifts; apply one of them, or give it to narrows evaluate --suite.`);
    describeSuite(context, suite);
    return undefined;
  }
  const shift = findShift(name)!;
  const severity = given.has('severity') ? (options.severity as number) : Math.min(3, shift.severities);
  const flags = { ...(options as unknown as ShiftFlags), severity, pictures: pictureOptions(context, options) };
  if (path === undefined && flags.text === undefined) {
    const idle = ['output', 'severity', 'sample', ...IMAGE_FLAGS, ...TEXT_FLAGS].find(flag => given.has(flag));
    if (idle)
      throw usage(
        `There is nothing to apply ${shift.name} to; give ${shift.modality === 'image' ? 'the path of a picture' : '--text "..."'}.`,
      );
    describeShift(context, shift);
    return undefined;
  }
  const input = path === undefined ? undefined : await inputOf(path);
  checkFlags(shift, input, flags, given);
  return shift.modality === 'image' ? imageShift(context, shift, input!, flags) : textShift(context, shift, input, flags);
}

/** `narrows shifts [NAME] [INPUT]`. */
export const shiftsCommand: CommandModule = { configure: configureShifts, run };
