/** @file `narrows generate`: a LLaVA answers a file of questions, in batches, and goes on where it was stopped. */
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { type AnswerRow, AnswersFile, answerId } from '../../generation/answers-file.ts';
import { answerQuestions } from '../../generation/bulk.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { type BulkQuestion, readQuestions } from '../../generation/questions.ts';
import { ImageFolder, missingImages, missingSentence, skipMissing } from '../../inputs/chat/read-conversations.ts';
import { PaceFile } from '../../jobs/pace-file.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { deviceOf } from '../../runtime/device.ts';
import { NarrowsError } from '../../system/errors.ts';
import { formatCount } from '../../system/format.ts';
import { addAnswerFlags, answerOptions, chatOptions, sayWarnings } from '../chat/flags.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { examples, integer } from '../flags.ts';
import { pictureOptions } from '../picture-flags.ts';

/** Missing images that are named one by one. */
const NAMED = 20;

function configure(command: Command): void {
  command
    .requiredOption('--input <file>', '.jsonl or .json: LLaVA questions {question_id, image, text}, or conversations')
    .requiredOption('--output <file>', '.jsonl of answers; the same command again resumes')
    .option('--images <directory>', "what the images' paths are relative to (default: the input's directory)")
    .option('--batch-size <n>', 'questions at once', integer(1, 1024), 8)
    .option('--skip-missing', 'leave out questions whose image is missing')
    .addOption(new Option('--model-id <text>', "what is written as model_id (default: the model's name)"));
  addAnswerFlags(command, { maxNewTokens: 128 }).addHelpText(
    'after',
    examples(
      ['narrows generate --model ./my-llava --input questions.jsonl --images images --output answers.jsonl', 'Answer a file of questions'],
      ['narrows generate --input data.json --images images --output answers.jsonl --skip-missing', 'Leave out what has no image'],
    ),
  );
}

/** The questions whose images are there. @throws NarrowsError listing those that are not, without --skip-missing */
async function withImages(
  context: Context,
  questions: readonly BulkQuestion[],
  folder: ImageFolder,
  skip: boolean,
): Promise<BulkQuestion[]> {
  const missing = await missingImages(questions, folder);
  const sentence = missingSentence(missing, folder.directory, NAMED);
  if (sentence === undefined) return [...questions];
  if (!skip) throw new NarrowsError(sentence);
  const kept: BulkQuestion[] = [];
  for await (const question of skipMissing(questions, folder)) kept.push(question as BulkQuestion);
  const names = missing.images.slice(0, NAMED).join(', ');
  const more = missing.images.length > NAMED ? ` and ${missing.images.length - NAMED} more` : '';
  context.log.warn(
    `${missing.conversations} of ${missing.of} questions are left out, since ${missing.images.length === 1 ? 'an image is' : `${missing.images.length} images are`} missing from ${folder.directory}: ${names}${more}.`,
  );
  return kept;
}

/** Refuses rows of another model or of other settings. */
const belongs =
  (modelId: string, settings: string) =>
  (row: AnswerRow, where: string): void => {
    const other = row.metadata?.settings;
    const { question_id: id, prompt, text } = row;
    const repeat = row.metadata?.repeat;
    // Our ids follow from the row: one that was damaged or edited is not the answer that the model gave. (Other tools draw theirs.)
    const exact = typeof id === 'string' || Number.isSafeInteger(id);
    const sealed = answerId(row.model_id, other, id, prompt, text, ...(repeat === undefined ? [] : [repeat]));
    if (typeof other === 'string' && exact && row.answer_id !== sealed)
      throw new NarrowsError(
        `${where} was changed after it was written (its answer_id does not belong to its text); delete the row to have it answered again.`,
      );
    const wrong =
      row.model_id !== modelId
        ? `an answer of the model ${JSON.stringify(row.model_id)}, not of ${JSON.stringify(modelId)}`
        : typeof other === 'string' && other !== settings
          ? 'an answer that was made with other settings (template, sampling, length, device)'
          : undefined;
    if (wrong) throw new NarrowsError(`${where} is ${wrong}; choose another --output.`, { kind: 'usage' });
  };

async function run(context: Context, options: Options): Promise<undefined> {
  const generation = answerOptions(context, options);
  const input = options.input as string;
  const output = options.output as string;
  context.status('Reading the questions');
  const images = new ImageFolder((options.images as string | undefined) ?? dirname(input));
  const all = await readQuestions(input, context.signal);
  const questions = await withImages(context, all, images, options.skipMissing === true);
  context.status('Reading the model');
  await using chat = await ChatModel.open(options.model as string, chatOptions(context, options));
  const { decode: _, signal: __, ...decides } = chat.options(generation);
  const { system, alpha, imageAspectRatio } = options;
  const pictures = pictureOptions(context, options);
  const device = deviceOf(process.env.NARROWS_DEVICE);
  // Runs without these flags keep the settings that their rows say.
  const read = [
    ...(pictures.autoOrient || pictures.window ? [pictures.autoOrient, pictures.window] : []),
    ...(pictures.frame === undefined ? [] : [{ frame: pictures.frame }]),
    ...(device === 'cpu' ? [] : [{ device }]),
  ];
  const settings = answerId(decides, chat.template.name, system, alpha, imageAspectRatio, ...read).slice(0, 12);
  const modelId = (options.modelId as string | undefined) ?? chat.name;
  await using lock = await lockOutput(output, 'file');
  if (lock.takenOver) context.log.info(lock.takenOver);
  const file = await AnswersFile.open(output, belongs(modelId, settings));
  context.status();
  sayWarnings(context, chat);
  if (file.mended) context.log.warn(`The last row of ${output} was cut short (${file.mended} bytes) and is answered again.`);
  const before = questions.filter(question => file.has(question)).length;
  if (before) context.log.info(`${formatCount(before)} of ${formatCount(questions.length)} questions have their answer already.`);
  const times = await PaceFile.open(`${output}.times.json`, message => context.log.warn(message));
  try {
    const { answered, tokens } = await answerQuestions(chat, questions, file, {
      images,
      pictures,
      generation,
      system: system as string | undefined,
      batchSize: options.batchSize as number,
      modelId,
      settings,
      times,
      signal: context.signal,
      progress: bar => context.progress(bar),
      onInfo: message => context.log.info(message),
    });
    await times.remove();
    const skipped = all.length - questions.length;
    if (context.json)
      context.print(
        JSON.stringify({ output, questions: all.length, answered, before, skipped, tokens, model: modelId, warnings: chat.warnings }),
      );
    else context.log.info(`${formatCount(before + answered)} answers are in ${output}.`);
  } catch (error) {
    await file.close();
    context.log.info(`${formatCount(file.size)} answers are in ${output}; the same command resumes.`);
    throw error;
  }
  return undefined;
}

/** `narrows generate`. */
export const generateCommand: CommandModule = { configure, run };
