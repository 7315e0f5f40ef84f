/** @file The flags of `narrows shifts`. */
import { type Command, Option } from 'commander';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import { shifts } from '../../shifts/registry.ts';
import { COMPATIBLE, type Compatible, NLPAUG_VERSIONS, type NlpaugVersion } from '../../shifts/shift.ts';
import { findSuite, suites } from '../../shifts/suites/registry.ts';
import { collect, examples, integer, nameAmong, number } from '../flags.ts';
import { addPictureFlags } from '../picture-flags.ts';
import { FORMATS, type Format } from './pictures.ts';

/** Values of the flags. */
export interface ShiftFlags {
  readonly text?: string;
  readonly severity: number;
  readonly output?: string;
  readonly sample: number;
  readonly referenceSize?: number;
  readonly protect?: readonly string[];
  readonly pictures: ImageReadOptions;
  readonly nlpaug: NlpaugVersion;
  readonly format: Format;
  readonly compat?: Compatible;
  readonly frostTextures?: string;
  readonly imageFolder?: string;
  readonly language?: string;
  readonly suffix?: string;
  readonly translations?: string;
  readonly endpoint?: string;
  readonly modelName?: string;
}

/** Names of the flags that belong to one kind of shift only. */
export const IMAGE_FLAGS = [
  'referenceSize',
  'compat',
  'frostTextures',
  'format',
  'imageFolder',
  'autoOrient',
  'window',
  'frame',
  'keepTags',
];
/** See `IMAGE_FLAGS`. */
export const TEXT_FLAGS = ['protect', 'nlpaug', 'language', 'suffix', 'translations', 'endpoint', 'modelName'];
/** Those that only translation has. */
export const TRANSLATION_FLAGS = ['language', 'suffix', 'translations', 'endpoint', 'modelName'];

/** Declares arguments, flags and examples. */
export function configureShifts(command: Command): void {
  const name = (text: string): string => {
    const suite = findSuite(text);
    if (suite) return suite.name;
    return nameAmong(() => [...shifts.map(s => s.name), ...suites.map(s => s.name)], 'shift')(text.replaceAll('-', '_'));
  };
  addPictureFlags(command)
    .argument('[name]', 'a shift, to read about it or to apply it; a suite, to see its scenarios', name)
    .argument('[input]', 'what to change: a picture, a folder of pictures, or a .jsonl or .json file of questions')
    .option('--text <text>', 'the text to change')
    .option('--severity <n>', 'how much: 1 to 5 for pictures, 1 to 7 (5 % of the words each) for texts', integer(1, 7), 3)
    .option('--output <path>', 'where it goes: a .png file for a picture, a folder for a folder or a file')
    .option('--sample <n>', 'number of the picture or text: each draws random numbers of its own (of many, its place)', integer(0), 0)
    .option(
      '--reference-size <pixels>',
      'scale lengths by (shorter side / this), as published for 224 (default: published pixels)',
      number(1),
    )
    .addOption(
      new Option('--format <kind>', 'kind of the files of many pictures; JPEG changes them further').choices([...FORMATS]).default('png'),
    )
    .option('--image-folder <dir>', 'where the paths of pictures in a file of questions start (default: at the file)')
    .option('--frost-textures <dir>', 'the published frost1.png to frost5.jpg, for frost')
    .addOption(
      new Option('--compat <program>', "make another program's errors, so that its numbers can be compared").choices([...COMPATIBLE]),
    )
    .option('--protect <text>', 'leave this as it is where it stands in the text, e.g. <image> (may be repeated)', collect)
    .addOption(
      new Option('--nlpaug <version>', 'whose numbers the character shifts follow')
        .choices([...NLPAUG_VERSIONS])
        .default(NLPAUG_VERSIONS[0]),
    )
    .option('--language <name>', 'into which language, by its English name, for translation')
    .option('--translations <file>', 'JSON lines of {text, language, translation} or {question_id, language, text}')
    .option('--endpoint <url>', 'a model that translates, behind an OpenAI-compatible server; the key is in OPENAI_API_KEY')
    .option('--model-name <name>', 'the name that the server of --endpoint gives the model')
    .option('--suffix <text>', 'what a translation ends with, such as " Please answer in English."')
    .addHelpText(
      'after',
      examples(
        ['narrows shifts', 'List all shifts and suites'],
        ['narrows shifts defocus_blur', 'Read about one'],
        ['narrows shifts defocus_blur photo.jpg --severity 3 --output blurred.png', 'Change a picture'],
        ['narrows shifts fog photos --severity 3 --output foggy', 'Change every picture of a folder; run again, it goes on'],
        ['narrows shifts keyboard --text "Is there a cat in the picture?" --severity 4', 'Change a text'],
        ['narrows shifts synonym_replacement questions.jsonl --severity 4 --output shifted', 'Change the questions of a file'],
        ['narrows shifts snow questions.jsonl --image-folder images --output snowy', 'Change the pictures of a file of questions'],
        ['narrows shifts translation questions.jsonl --language Greek --translations greek.jsonl --output greek', 'Translate questions'],
      ),
    );
}
