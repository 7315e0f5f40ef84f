/** @file `narrows data inspect`: what of instruction data is supervised, what is image, and what is masked, token by token. */
import type { Command } from 'commander';
import { readConfig } from '../../checkpoints/disk.ts';
import { noEndSentence } from '../../inputs/chat/answer-end.ts';
import { type EncodedChat, encodeChat } from '../../inputs/chat/encode-chat.ts';
import { findTemplate } from '../../inputs/chat/find-template.ts';
import { type Conversation, IMAGE_MARK } from '../../inputs/chat/messages.ts';
import { missingMarks } from '../../inputs/chat/picture-marks.ts';
import { ImageFolder, missingOf, missingSentence, readConversations } from '../../inputs/chat/read-conversations.ts';
import {
  addCounts,
  type ChatCounts,
  chatCounts,
  type DataTotals,
  NO_TOTALS,
  type Segment,
  segmentsOf,
} from '../../inputs/chat/segments.ts';
import { TEMPLATE_NAMES } from '../../inputs/chat/templates/registry.ts';
import { readTokenizerDirectory, Tokenizer } from '../../inputs/text/disk.ts';
import { DEFAULT_CHAT_MODEL, findModel } from '../../models/bundled.ts';
import { parseLlavaConfig } from '../../models/llava/config.ts';
import { familyOf } from '../../models/llava/families.ts';
import { imageTokenText } from '../../models/llava/files.ts';
import { typicalImageTokens } from '../../models/llava/placement.ts';
import type { Colours } from '../../node/colours.ts';
import { NarrowsError } from '../../system/errors.ts';
import { formatCount, formatNumber } from '../../system/format.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { examples, integer, nameAmong } from '../flags.ts';
import { hubOptions } from '../hub-progress.ts';

/** Missing images that are printed; `--json` has them all. */
const LISTED = 20;

function configure(command: Command): void {
  const names = [...TEMPLATE_NAMES, 'jinja'];
  command
    .argument('<file>', 'conversations: a .json list or .jsonl, as LLaVA or Hugging Face (messages) write them')
    .option(
      '--model <name>',
      `LLaVA whose tokenizer and chat template are used: directory, or org/name[@revision] (default: ${DEFAULT_CHAT_MODEL})`,
    )
    .option('--tokenizer <dir>', 'only a tokenizer, instead of --model')
    .option(
      '--template <name>',
      `${names.join(', ')} (default: the model's own, else by its name)`,
      nameAmong(() => names, 'template'),
    )
    .option('--images <dir>', 'folder of the images: says which are missing')
    .option('--skip-missing', 'leave conversations out whose images are missing, rather than fail')
    .option('--max-length <n>', 'most tokens of a conversation, images included; the rest is cut', integer(1, 1 << 20))
    .option('--image-tokens <n>', "tokens of one image (default: the model's; 576 with --tokenizer)", integer(1, 1 << 20))
    .option('--limit <n>', 'show the first n conversations; the totals cover all', integer(0), 5)
    .addHelpText(
      'after',
      examples(
        ['narrows data inspect data.json --model ./my-llava --images images', 'See what is learnt of the first five conversations'],
        ['narrows data inspect data.jsonl --tokenizer ./my-llava --template vicuna_v1 --max-length 2048 --limit 0', 'Only the totals'],
      ),
    );
}

/** Everything that turns a conversation into tokens. */
async function readParts(context: Context, options: Options) {
  const { tokenizer: onlyTokenizer, template: name } = options as { tokenizer?: string; template?: string };
  const given = options.model as string | undefined;
  if (given !== undefined && onlyTokenizer !== undefined)
    throw new NarrowsError('--model and --tokenizer exclude each other: a model brings its own tokenizer.', { kind: 'usage' });
  const model = onlyTokenizer === undefined ? (given ?? DEFAULT_CHAT_MODEL) : undefined;
  const directory = model === undefined ? (onlyTokenizer as string) : (await findModel(model, hubOptions(context))).directory;
  const config = model === undefined ? undefined : parseLlavaConfig(await readConfig(directory), `${directory}/config.json`);
  const tokenizer = await Tokenizer.fromDirectory(directory);
  const { json } = await readTokenizerDirectory(directory);
  const text = config ? imageTokenText(tokenizer, config, directory) : IMAGE_MARK;
  const template = await findTemplate(directory, { ...(name ? { name } : {}), ...(config ? { imageTokenText: text } : {}) });
  const specials = new Set((json.added_tokens ?? []).filter(token => token.special).map(token => token.id));
  const unknown = typeof json.model.unk_token === 'string' ? tokenizer.idOf(json.model.unk_token) : undefined;
  const family = config && familyOf(config);
  return {
    template,
    tokenizer,
    unmarked: family?.around && missingMarks(template, family.around, family.title),
    // Sizes of pictures are not read here.
    counted: family && `Pictures of a ${family.title} take different numbers of tokens; each is counted as ${typicalImageTokens(config!)}.`,
    vocabulary: {
      textOf: (id: number) => tokenizer.textOf(id),
      isSpecial: (id: number) => specials.has(id) && id !== unknown,
      isUnknown: (id: number) => id === unknown,
    },
    encoding: {
      // −200 is LLaVA's stand-in where the tokenizer has no image token.
      imageToken: config?.image_token_index ?? tokenizer.idOf(IMAGE_MARK) ?? -200,
      imageTokenText: text,
      tokensPerImage: (options.imageTokens as number | undefined) ?? (config ? typicalImageTokens(config) : 576),
      ...(options.maxLength === undefined ? {} : { maxLength: options.maxLength as number }),
    },
  };
}

const many = (n: number, what: string): string => `${formatCount(n)} ${what}${n === 1 ? '' : 's'}`;

const STYLES = { supervised: 'green', image: 'cyan', masked: 'dim' } as const;

/** A segment in its colour; without colours what is supervised stands between ⟦ and ⟧. */
function paint({ kind, mark, text, tokens }: Segment, colours: Colours): string {
  if (kind === 'image') return colours.style('cyan', `<image ×${tokens}>`);
  // Each line by itself: a style does not run over line ends.
  return text
    .split('\n')
    .map(line => {
      const style = [STYLES[kind], ...(mark === 'special' ? (['bold'] as const) : mark === 'unknown' ? (['underline'] as const) : [])];
      return line === '' ? '' : colours.style(style, line);
    })
    .join(`${colours.style(STYLES[kind], '↵')}\n  `);
}

function paintChat(segments: readonly Segment[], colours: Colours): string {
  let [out, open] = ['', false];
  for (const segment of segments) {
    const learnt = segment.kind === 'supervised';
    if (!colours.enabled && learnt !== open) out += learnt ? '⟦' : '⟧';
    open = learnt;
    out += paint(segment, colours);
  }
  return `  ${out}${!colours.enabled && open ? '⟧' : ''}`;
}

function showChat(context: Context, number: number, { id, source }: Conversation, counts: ChatCounts, segments: readonly Segment[]): void {
  const { colours } = context;
  const facts = [
    many(counts.tokens, 'token'),
    `${formatCount(counts.supervised)} supervised`,
    many(counts.images, 'image'),
    ...(counts.unknown ? [`${formatCount(counts.unknown)} unknown`] : []),
  ];
  const name = id === undefined ? '' : ` (id ${id})`;
  context.print(`${colours.style('bold', `${number}.`)} ${source}${name}: ${facts.join(', ')}`);
  context.print(paintChat(segments, colours));
  if (counts.cut) {
    const images = counts.imagesCut ? ` with ${many(counts.imagesCut, 'image')}` : '';
    context.print(colours.style('yellow', `  … ${many(counts.cut, 'token')} cut${images}`));
  }
  context.print('');
}

function showTotals(context: Context, totals: DataTotals, missing: { images: readonly string[]; conversations: number }): void {
  const { colours, print } = context;
  const share = totals.tokens ? (100 * totals.supervised) / totals.tokens : 0;
  const rows: [string, string][] = [
    ['Conversations', formatCount(totals.samples)],
    [
      'Tokens',
      `${formatCount(totals.tokens)} (${formatNumber(totals.tokens / Math.max(1, totals.samples))} each, ${formatCount(totals.longest)} at most)`,
    ],
    ['Supervised', `${many(totals.supervised, 'token')} (${formatNumber(share)} %)`],
    ['Images', formatCount(totals.images)],
    ['Cut', `${many(totals.cut, 'token')} and ${many(totals.imagesCut, 'image')} of ${many(totals.samplesCut, 'conversation')}`],
    ['Nothing learnt', `${many(totals.unsupervised, 'conversation')} without a supervised token`],
    ...(totals.unknown ? [['Unknown', `${many(totals.unknown, 'token')} outside of the vocabulary`] as [string, string]] : []),
    ...(missing.images.length
      ? [['Missing', `${many(missing.images.length, 'image')} of ${many(missing.conversations, 'conversation')}:`] as [string, string]]
      : []),
  ];
  for (const [label, value] of rows) print(`${colours.style('bold', label.padEnd(14))} ${value}`);
  for (const image of missing.images.slice(0, LISTED)) print(`  ${image}`);
  if (missing.images.length > LISTED) print(`  and ${formatCount(missing.images.length - LISTED)} more (--json lists all)`);
}

async function run(context: Context, options: Options, [file]: readonly (string | undefined)[]) {
  const { template, tokenizer, vocabulary, encoding, counted, unmarked } = await readParts(context, options);
  const limit = options.limit as number;
  const images = options.images as string | undefined;
  const folder = images === undefined ? undefined : new ImageFolder(images);
  const lost = new Set<string>();
  let [totals, number, without]: [DataTotals, number, number] = [NO_TOTALS, 0, 0];
  const shown: object[] = [];
  const { colours } = context;
  if (!context.json && limit > 0) {
    const origin = template.source === undefined ? '' : ` (${template.source})`;
    const legend = `${colours.enabled ? colours.style('green', 'supervised') : '⟦supervised⟧'}, ${colours.style('cyan', 'image')}, ${colours.style('dim', 'masked')}`;
    context.print(`Template ${template.name}${origin}: ${legend}\n`);
  }
  for await (const conversation of readConversations(file as string, { signal: context.signal })) {
    number++;
    if (number % 500 === 0) context.status(`Reading ${file}: ${formatCount(number)} conversations`);
    const missing = folder ? await missingOf(conversation, folder) : [];
    for (const image of missing) lost.add(image);
    if (missing.length) without++;
    if (missing.length && options.skipMissing) continue;
    const chat: EncodedChat = encodeAt(conversation, () => encodeChat(tokenizer, template, conversation.messages, encoding));
    const counts = chatCounts(chat, vocabulary);
    totals = addCounts(totals, counts);
    if (totals.samples > limit) continue;
    const segments = segmentsOf(chat, vocabulary);
    context.status();
    if (context.json) shown.push({ id: conversation.id, source: conversation.source, ...counts, missing, segments });
    else showChat(context, number, conversation, counts, segments);
  }
  context.status();
  const missing = { images: [...lost], conversations: without, of: number };
  const { name, source } = template;
  const noEnd = noEndSentence(template, tokenizer);
  const warnings = [noEnd, unmarked, options.imageTokens === undefined ? counted : undefined].flatMap(sentence => sentence ?? []);
  for (const warning of warnings) context.log.warn(warning);
  if (context.json) context.print(JSON.stringify({ template: { name, source }, conversations: shown, totals, missing, warnings }));
  else showTotals(context, totals, missing);
  if (without === 0 || images === undefined) return undefined;
  if (options.skipMissing) {
    context.log.warn(`${formatCount(without)} of ${formatCount(number)} conversations were left out because their images are missing.`);
    return undefined;
  }
  throw new NarrowsError(missingSentence(missing, images) as string);
}

/** Errors of a template name the conversation. */
function encodeAt<T>({ source }: Conversation, encode: () => T): T {
  try {
    return encode();
  } catch (error) {
    throw error instanceof NarrowsError ? new NarrowsError(`${source}: ${error.message}`, { kind: error.kind, cause: error }) : error;
  }
}

/** `narrows data inspect FILE`. */
export const dataInspectCommand: CommandModule = { configure, run };
