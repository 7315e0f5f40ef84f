/** @file Text to token ids with offsets into the caption; ids and offsets equal those of Hugging Face's fast (Rust) tokenizers. */

import { messageOf, NarrowsError } from '../../system/errors.ts';
import type { ModelFiles } from '../../system/model-files.ts';
import { LimitError, withTimeLimit } from '../../system/time-limit.ts';
import { ints, type Tensor } from '../../tensor/tensor.ts';
import { type AddedToken, addedTokenSplitter, type Section } from './added-tokens.ts';
import { type Aligned, alignOriginal } from './aligned.ts';
import type { TokenModel } from './component.ts';
import { createJoin, type JoinTokens } from './decode.ts';
import { createNormalizer, type Normalize } from './normalize.ts';
import { hasForeignPatterns } from './patterns.ts';
import { createFrame, type Frame, trimSpan } from './post-process.ts';
import { createPreTokenizer, type PreTokenize } from './pretokenize.ts';
import { siglipText } from './sentencepiece/siglip-text.ts';
import { createTokenModel } from './token-model.ts';
import { readTokenizerFiles, type TokenizerConfig, type TokenizerJson, tokenText } from './tokenizer-files.ts';

/** One token. `text` is its vocabulary entry; `[start, end)` are UTF-16 offsets into the caption, start = end for tokens put around it. */
export interface Token {
  readonly id: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly special: boolean;
  /** The vocabulary lacks what stands there: the model sees its unknown token. */
  readonly unknown?: true;
}

/** A caption as tokens, special tokens included. */
export interface TokenizedText {
  readonly ids: readonly number[];
  readonly tokens: readonly Token[];
  /** The text has words, but the vocabulary knows none of its tokens. */
  readonly allUnknown: boolean;
  /** What did not fit: the text that the model will not see, and its number of tokens. */
  readonly truncated?: { readonly text: string; readonly tokens: number };
}

/** Several captions as one batch, padded on the right. Both tensors are int32 `[B, T]`; the mask is 1 for tokens, 0 for padding. */
export interface TokenizedBatch {
  readonly inputIds: Tensor;
  readonly attentionMask: Tensor;
  readonly rows: readonly TokenizedText[];
}

/** Seconds that a file's patterns may take over one text: some never end. */
const PATTERN_SECONDS = 5;

// transformers writes 1e30 for "no limit".
const NO_LIMIT = 1e9;

/** A tokenizer made from the files of a checkpoint. */
export class Tokenizer {
  /** Longest sequence the model takes, special tokens included; `Infinity` when the files do not say. */
  readonly maxLength: number;
  /** Id used for padding; undefined when the files name none. */
  readonly padId: number | undefined;
  /** Id of the configured `eos_token`; undefined when the files name none. */
  readonly eosId: number | undefined;
  /** Number of ids: one more than the largest. */
  readonly vocabularySize: number;
  /** What was supposed or made anew when the files were read, a sentence each; whoever opens a model passes them on. */
  readonly warnings: readonly string[];
  /** Id of what the vocabulary lacks; undefined where it lacks nothing (byte-level tokenizers). */
  readonly unknownId: number | undefined;
  private readonly limited: boolean;
  private readonly prepare: (piece: Aligned) => Aligned;
  private readonly model: TokenModel;
  private readonly frame: Frame;
  private readonly normalize: Normalize;
  private readonly makeJoin: () => JoinTokens;
  private join: JoinTokens | undefined;
  private readonly preTokenize: PreTokenize;
  private readonly added = new Map<string, AddedToken>();
  private readonly specialIds = new Set<number>();
  private readonly names = new Map<number, string>();
  private readonly splitOriginal: (piece: Aligned) => Section[];
  private readonly splitNormalized: (piece: Aligned) => Section[];

  /**
   * From parsed files (`readTokenizerFiles` holds them against their schema and adds the tokens of all files).
   * @throws NarrowsError for a component that is not supported or malformed.
   */
  constructor(json: TokenizerJson, config: TokenizerConfig = {}, warnings: readonly string[] = []) {
    this.warnings = warnings;
    this.limited = hasForeignPatterns(json);
    this.model = createTokenModel(json.model, tokenText(config.eos_token));
    this.unknownId = this.model.unknownId;
    for (const [text, id] of this.model.vocabulary) this.names.set(id, text);
    const added = json.added_tokens ?? [];
    for (const token of added) {
      this.added.set(token.content, token);
      this.names.set(token.id, token.content);
      if (token.special) this.specialIds.add(token.id);
    }
    this.frame = createFrame(json.post_processor, token => this.requireId(token));
    this.normalize = createNormalizer(json.normalizer);
    // Made for WordPiece; of BPE it would take blanks that the text has. transformers leaves it out there from version 5 on.
    const forced = config.clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output === true;
    const clean = config.clean_up_tokenization_spaces === true && (json.model.type !== 'BPE' || forced);
    this.makeJoin = () => createJoin(json.decoder, clean);
    this.preTokenize = createPreTokenizer(json.pre_tokenizer);
    const isNormalized = (token: AddedToken): boolean => token.normalized ?? !token.special;
    this.prepare = json.siglip_text ? siglipText(added, json.siglip_text.lower_case) : piece => piece;
    this.splitOriginal = addedTokenSplitter(added.filter(token => !isNormalized(token)));
    this.splitNormalized = addedTokenSplitter(added.filter(isNormalized), this.normalize);
    const limit = Number(config.model_max_length ?? json.truncation?.max_length ?? Number.POSITIVE_INFINITY);
    this.maxLength = limit > 0 && limit < NO_LIMIT ? limit : Number.POSITIVE_INFINITY;
    const pad = tokenText(config.pad_token);
    this.padId = pad === undefined ? (json.padding?.pad_id ?? undefined) : this.idOf(pad);
    const eos = tokenText(config.eos_token);
    this.eosId = eos === undefined ? undefined : this.idOf(eos);
    let largest = -1;
    for (const id of this.names.keys()) if (id > largest) largest = id;
    this.vocabularySize = largest + 1;
  }

  /**
   * Reads a checkpoint's tokenizer: `tokenizer.json`, CLIP's `vocab.json` and `merges.txt`, or SentencePiece's `spiece.model` or
   * `tokenizer.model`, with the tokens that `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` add.
   * @throws NarrowsError in one sentence that names the file that is missing or broken.
   */
  static async fromFiles(files: ModelFiles): Promise<Tokenizer> {
    const { json, config, warnings } = await readTokenizerFiles(files);
    try {
      return new Tokenizer(json, config, warnings);
    } catch (error) {
      if (error instanceof NarrowsError) throw error;
      throw new NarrowsError(`The tokenizer of ${files.name} is malformed (${messageOf(error)}); get its files again.`, { cause: error });
    }
  }

  /** Id of a vocabulary entry or added token; undefined when there is none. */
  idOf(token: string): number | undefined {
    return this.added.get(token)?.id ?? this.model.vocabulary.get(token);
  }

  /** Vocabulary entry of an id; undefined outside the vocabulary. */
  textOf(id: number): string | undefined {
    return this.names.get(id);
  }

  /**
   * Text of token ids, special tokens left out (`keepSpecial`: kept); ids outside the vocabulary say nothing.
   * @throws NarrowsError for a decoder in tokenizer.json that is not known
   */
  decode(ids: readonly number[], options: { readonly keepSpecial?: boolean } = {}): string {
    this.join ??= this.makeJoin();
    const join = this.join;
    const tokens = this.shown(ids, options.keepSpecial);
    return this.withinLimit(tokens.join(''), () => join(tokens));
  }

  /** The beginning of `decode(ids)` that stays as it is whatever ids follow. @throws as `decode` */
  decodeSettled(ids: readonly number[]): string {
    this.join ??= this.makeJoin();
    const join = this.join;
    const tokens = this.shown(ids);
    return this.withinLimit(tokens.join(''), () => join.settled(tokens));
  }

  /** Vocabulary entries of ids. */
  private shown(ids: readonly number[], keepSpecial = false): string[] {
    return ids.flatMap(id => (!keepSpecial && this.specialIds.has(id) ? [] : (this.names.get(id) ?? [])));
  }

  /** @throws NarrowsError where a pattern of the file does not end */
  private withinLimit<T>(text: string, run: () => T): T {
    if (!this.limited) return run();
    try {
      return withTimeLimit(run, PATTERN_SECONDS);
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
      const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text;
      throw new NarrowsError(
        `tokenizer.json: its patterns ${error.message} over ${JSON.stringify(shown)} and were stopped; get the tokenizer from the checkpoint's origin.`,
        { cause: error },
      );
    }
  }

  private requireId(token: string): number {
    const id = this.idOf(token);
    if (id === undefined) throw new NarrowsError(`tokenizer.json: the special token "${token}" is not in its vocabulary.`);
    return id;
  }

  /**
   * One caption as tokens, cut to `maxLength` tokens (default: the model's own limit). Special tokens around the text are always kept;
   * what fell off is reported in `truncated`, and the caller warns.
   * @throws NarrowsError when `maxLength` leaves no room, or the vocabulary has no unknown token for an unknown word.
   */
  encode(text: string, options: { readonly maxLength?: number } = {}): TokenizedText {
    const { before, after } = this.frame;
    const maxLength = options.maxLength ?? this.maxLength;
    const room = maxLength - before.length - after.length;
    if (room < 0)
      throw new NarrowsError(`A limit of ${maxLength} tokens has no room for the ${before.length + after.length} special ones.`);
    const content = this.withinLimit(text, () => this.content(text));
    const kept = content.length > room ? content.slice(0, room) : content;
    const around = (id: number): Token => ({ id, text: this.names.get(id) ?? '', start: 0, end: 0, special: true });
    const ended = this.frame.unlessThere && kept.length > 0 && kept[kept.length - 1].id === after[0];
    const tokens = [...before.map(around), ...kept, ...(ended ? [] : after.map(around))];
    const known = content.some(token => !token.special && token.id !== this.model.unknownId);
    const result = { ids: tokens.map(token => token.id), tokens, allUnknown: text.trim() !== '' && !known };
    if (kept.length === content.length) return result;
    const lost = content.slice(room);
    return { ...result, truncated: { text: text.slice(lost[0].start, lost[lost.length - 1].end), tokens: lost.length } };
  }

  /**
   * Captions as one batch, padded on the right to the longest, or to `padding` tokens (longer texts are cut to it).
   * @throws NarrowsError when padding is needed and the tokenizer names no padding token.
   */
  encodeBatch(
    texts: readonly string[],
    options: { readonly padding?: 'longest' | number; readonly maxLength?: number } = {},
  ): TokenizedBatch {
    const { padding = 'longest' } = options;
    const maxLength = padding === 'longest' ? options.maxLength : Math.min(padding, options.maxLength ?? padding);
    const rows = texts.map(text => this.encode(text, { maxLength }));
    const width = padding === 'longest' ? rows.reduce((longest, row) => Math.max(longest, row.ids.length), 0) : padding;
    if (this.padId === undefined && rows.some(row => row.ids.length < width)) {
      throw new NarrowsError('tokenizer_config.json names no "pad_token", so texts of different lengths cannot form a batch.');
    }
    const inputIds = new Int32Array(rows.length * width).fill(this.padId ?? 0);
    const attentionMask = new Int32Array(rows.length * width);
    rows.forEach((row, b) => {
      inputIds.set(row.ids, b * width);
      attentionMask.fill(1, b * width, b * width + row.ids.length);
    });
    const shape = [rows.length, width];
    return { inputIds: ints(shape, inputIds), attentionMask: ints(shape, attentionMask), rows };
  }

  /** The tokens of the text itself, without those put around it. */
  private content(text: string): Token[] {
    const tokens: Token[] = [];
    const sections = this.splitOriginal(this.prepare(alignOriginal(text))).flatMap(section =>
      section.token ? [section] : this.splitNormalized(this.normalize(section.piece)),
    );
    for (const { piece, token } of sections) {
      if (token) {
        const end = piece.ends[piece.ends.length - 1];
        tokens.push({ id: token.id, text: token.content, start: piece.starts[0], end, special: this.specialIds.has(token.id) });
      } else for (const part of this.preTokenize(piece)) if (part.text.length > 0) this.cut(part, tokens);
    }
    return tokens;
  }

  private cut(part: Aligned, into: Token[]): void {
    const pieces = this.model.cut(part.text);
    if (pieces.length === 0 && this.model.unknownId === undefined)
      throw new NarrowsError(`tokenizer.json has no unknown token, and "${part.text}" is not in its vocabulary.`);
    for (const { id, from, to } of pieces) {
      const name = this.names.get(id) ?? '';
      let span: [number, number] = [part.starts[from], part.ends[to - 1]];
      if (this.frame.trim) span = trimSpan(this.frame, name, ...span, into.length + this.frame.before.length === 0);
      const unknown = id === this.unknownId ? { unknown: true as const } : {};
      into.push({ id, text: name, start: span[0], end: span[1], special: false, ...unknown });
    }
  }
}
