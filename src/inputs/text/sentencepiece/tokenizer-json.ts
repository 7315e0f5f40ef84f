/**
 * @file A tokenizer.json of a SentencePiece model file, as transformers builds the tokenizer: of Llama and Gemma the fast one
 * (`LlamaConverter`, `GemmaConverter` of convert_slow_tokenizer.py), of SigLIP the one that runs SentencePiece itself (tokenization_siglip.py).
 */

import { NarrowsError } from '../../../system/errors.ts';
import type { Component } from '../component.ts';
import { type TokenizerConfig, type TokenizerJson, tokenText } from '../tokenizer-json.ts';
import { mergesOf } from './merges.ts';
import { PIECE, type Piece, type SentencePieceModel } from './model-file.ts';
import { BLANK, sentencePieceNormalizer } from './normalizer.ts';
import { setSentencePiece } from './parts.ts';
import { type SentencePieceEntry, sentencePieceModel } from './token-model.ts';

/** Classes of tokenizers that are kept as a model file, without `Fast`. */
export type SentencePieceKind = 'siglip' | 'llama' | 'gemma';

const CLASSES: Readonly<Record<string, SentencePieceKind>> = {
  SiglipTokenizer: 'siglip',
  LlamaTokenizer: 'llama',
  CodeLlamaTokenizer: 'llama',
  GemmaTokenizer: 'gemma',
  Siglip2Tokenizer: 'gemma',
};

/** The class's keys of tokenizer_config.json where the file does not give them. */
const DEFAULTS: Readonly<Record<SentencePieceKind, TokenizerConfig>> = {
  siglip: {
    tokenizer_class: 'SiglipTokenizer',
    eos_token: '</s>',
    unk_token: '<unk>',
    pad_token: '</s>',
    model_max_length: 64,
    do_lower_case: true,
  },
  llama: { tokenizer_class: 'LlamaTokenizer', bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', add_bos_token: true },
  gemma: {
    tokenizer_class: 'GemmaTokenizer',
    bos_token: '<bos>',
    eos_token: '<eos>',
    unk_token: '<unk>',
    pad_token: '<pad>',
    add_bos_token: true,
  },
};

/** What a model file is built to, and what had to be supposed. */
export interface BuiltTokenizer {
  readonly json: TokenizerJson;
  readonly config: TokenizerConfig;
  readonly warnings: readonly string[];
  /** Ids of added tokens are those that the files give (else they are counted on from the vocabulary's size). */
  readonly keepsIds: boolean;
}

/** The kind that the class names, else the one that the first pieces are of. @throws NarrowsError for another class, or none and other pieces */
function kindOf(model: SentencePieceModel, config: TokenizerConfig, source: string): { kind: SentencePieceKind; supposed: boolean } {
  const named = config.tokenizer_class;
  if (typeof named === 'string' && named !== 'TokenizersBackend') {
    const kind = CLASSES[named.replace(/Fast$/, '')];
    if (kind && Object.hasOwn(CLASSES, named.replace(/Fast$/, ''))) return { kind, supposed: false };
    throw new NarrowsError(
      `${source} belongs to a ${named}; SentencePiece files are read for ${Object.keys(CLASSES).join(', ')}: make a tokenizer.json in Python ` +
        `with AutoTokenizer.from_pretrained("DIRECTORY").save_pretrained("DIRECTORY").`,
    );
  }
  const first = model.pieces.slice(0, 3).map(piece => piece.text);
  if (first.join() === '<pad>,<eos>,<bos>') return { kind: 'gemma', supposed: true };
  if (first.join() === '<unk>,<s>,</s>' && model.algorithm === 'bpe') return { kind: 'llama', supposed: true };
  if (/spiece\.model$/.test(source) && first.includes('</s>')) return { kind: 'siglip', supposed: true };
  throw new NarrowsError(
    `No tokenizer_config.json says of which class ${source} is; give it with "tokenizer_class", one of ${Object.keys(CLASSES).join(', ')}.`,
  );
}

/** What of a model file Rust's tokenizers hold: pieces that are control or defined by the user are added tokens. */
function fastJson(
  model: SentencePieceModel,
  config: TokenizerConfig,
  special: readonly string[],
  parts: Partial<TokenizerJson>,
): TokenizerJson {
  const { pieces } = model;
  const texts = pieces.map(piece => piece.text);
  const vocab = Object.fromEntries(texts.map((text, id) => [text, id]));
  const entry: Component =
    model.algorithm === 'bpe'
      ? {
          type: 'BPE',
          vocab,
          merges: mergesOf(pieces, new Set(texts)),
          unk_token: model.unknownPiece,
          fuse_unk: true,
          byte_fallback: true,
        }
      : { type: 'Unigram', vocab: pieces.map(({ text, score }) => [text, score]), unk_id: model.unknownId, byte_fallback: true };
  const added = pieces.flatMap(({ text, type }, id) => {
    if (type !== PIECE.control && type !== PIECE.userDefined) return [];
    return [{ id, content: text, special: type === PIECE.control || special.includes(text), normalized: false }];
  });
  const around = (key: 'bos' | 'eos'): object[] => {
    const token = tokenText(config[`${key}_token`]);
    return config[`add_${key}_token`] === true && token !== undefined ? [{ SpecialToken: { id: token, type_id: 0 } }] : [];
  };
  return {
    added_tokens: added,
    post_processor: { type: 'TemplateProcessing', single: [...around('bos'), { Sequence: { id: 'A', type_id: 0 } }, ...around('eos')] },
    model: entry,
    ...parts,
  };
}

const DECODERS: Component[] = [{ type: 'Replace', pattern: { String: BLANK }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }];
const toBlank: Component = { type: 'Replace', pattern: { String: ' ' }, content: BLANK };

function llamaJson(model: SentencePieceModel, config: TokenizerConfig): TokenizerJson {
  const prefix = config.add_prefix_space !== false;
  const first: Component[] = prefix ? [{ type: 'Prepend', prepend: BLANK }] : [];
  const strip: Component[] = prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : [];
  const decoder: Component = { type: 'Sequence', decoders: [...DECODERS, ...strip] };
  if (config.legacy !== false)
    return fastJson(model, config, [], {
      normalizer: { type: 'Sequence', normalizers: [...first, toBlank] },
      pre_tokenizer: null,
      decoder,
    });
  const scheme = prefix ? 'first' : 'never';
  return fastJson(model, config, [], {
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: BLANK, prepend_scheme: scheme, split: false },
    decoder,
  });
}

function gemmaJson(model: SentencePieceModel, config: TokenizerConfig): TokenizerJson {
  // Older vocabularies lack the tab; its byte's place is given to it.
  const tab = model.pieces.some(piece => piece.text === '\t') ? -1 : model.pieces.findIndex(piece => piece.text === '<0x09>');
  const pieces = model.pieces.map((piece, id): Piece => (id === tab ? { ...piece, text: '\t', score: 0 } : piece));
  return fastJson({ ...model, pieces }, config, ['<start_of_turn>', '<end_of_turn>'], {
    normalizer: toBlank,
    pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
    decoder: { type: 'Sequence', decoders: DECODERS },
  });
}

function siglipJson(model: SentencePieceModel, config: TokenizerConfig): TokenizerJson {
  const unknown = tokenText(config.unk_token) ?? model.unknownPiece;
  const user = model.pieces.filter(piece => piece.type === PIECE.userDefined).map(piece => piece.text);
  const entry: SentencePieceEntry = {
    type: 'SentencePiece',
    algorithm: model.algorithm,
    pieces: model.pieces,
    unk_id: model.unknownId,
    byte_fallback: model.byteFallback,
    prefix: unknown,
  };
  return {
    siglip_text: { lower_case: config.do_lower_case !== false },
    normalizer: {
      type: 'SentencePiece',
      precompiled_charsmap: model.charsmap.length ? base64(model.charsmap) : undefined,
      remove_extra_whitespaces: model.removeExtraWhitespaces,
      escape_whitespaces: model.escapeWhitespaces,
      user_defined: user,
      canonicalize: true,
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: tokenText(config.eos_token) ?? '</s>', type_id: 0 } }],
      unless_there: true,
    },
    decoder: { type: 'Metaspace', replacement: BLANK, prepend_scheme: 'always' },
    model: entry,
  };
}

const base64 = (bytes: Uint8Array): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
};

/**
 * Builds a model file's tokenizer. @param source the file's path, named in errors
 * @throws NarrowsError for a tokenizer of another class
 */
export function sentencePieceTokenizer(model: SentencePieceModel, given: TokenizerConfig, source: string): BuiltTokenizer {
  setSentencePiece({ model: entry => sentencePieceModel(entry as SentencePieceEntry), normalizer: sentencePieceNormalizer });
  const { kind, supposed } = kindOf(model, given, source);
  const config: Record<string, unknown> = { ...DEFAULTS[kind] };
  for (const [key, value] of Object.entries(given)) if (value !== undefined) config[key] = value;
  const warnings: string[] = [];
  if (supposed) {
    config.tokenizer_class = DEFAULTS[kind].tokenizer_class;
    warnings.push(
      `No tokenizer_config.json says of which class ${source} is; by its first pieces it is taken for a ${config.tokenizer_class}.`,
    );
  }
  if (kind === 'llama' && typeof config.legacy !== 'boolean')
    warnings.push(
      `tokenizer_config.json does not say "legacy" for ${source}: a blank is put before text behind a special token, as transformers 4 does; "legacy": false leaves it out, as transformers 5 does.`,
    );
  const build = { siglip: siglipJson, llama: llamaJson, gemma: gemmaJson }[kind];
  return { json: build(model, config), config, warnings, keepsIds: kind === 'siglip' };
}
