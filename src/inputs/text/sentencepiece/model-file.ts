/** @file SentencePiece's model files (`spiece.model`, `tokenizer.model`). Source: sentencepiece_model.proto of google/sentencepiece. */
import { NarrowsError } from '../../../system/errors.ts';
import { type ProtoField, protoBool, protoFields, protoFloat, protoInt, protoText } from '../../../system/protobuf-reader.ts';

/** `SentencePiece.Type`. */
export const PIECE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** One vocabulary entry; its id is its place in the list. */
export interface Piece {
  readonly text: string;
  /** Log-probability (Unigram) or rank (BPE), as float32. */
  readonly score: number;
  /** One of `PIECE`. */
  readonly type: number;
}

/** What of a model file cuts text. */
export interface SentencePieceModel {
  readonly pieces: readonly Piece[];
  readonly algorithm: 'unigram' | 'bpe';
  readonly unknownId: number;
  readonly unknownPiece: string;
  /** Unknown characters become their bytes' pieces. */
  readonly byteFallback: boolean;
  readonly treatWhitespaceAsSuffix: boolean;
  /** `precompiled_charsmap`: compiled replacement rules; empty for none. */
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
}

const ALGORITHMS = ['', 'unigram', 'bpe', 'word', 'char'];

function readPiece(bytes: Uint8Array, source: string): Piece {
  let [text, score, type] = ['', 0, PIECE.normal as number];
  for (const field of protoFields(bytes, source)) {
    if (field.number === 1) text = protoText(field);
    else if (field.number === 2) score = protoFloat(field);
    else if (field.number === 3) type = protoInt(field);
  }
  if (!Number.isFinite(score)) throw new NarrowsError(`${source}: the score of the piece ${JSON.stringify(text)} is no number.`);
  return { text, score, type };
}

/** The last value of each field: a nested message that is written in several parts is one. */
function readInto(fields: Map<number, ProtoField>, bytes: Uint8Array, source: string): void {
  for (const field of protoFields(bytes, source)) fields.set(field.number, field);
}

/**
 * Reads a model file.
 * @param source the file's path, named in errors
 * @throws NarrowsError where it is damaged, no SentencePiece model, or of an algorithm other than Unigram and BPE
 */
export function readSentencePiece(bytes: Uint8Array, source: string): SentencePieceModel {
  const pieces: Piece[] = [];
  const trainer = new Map<number, ProtoField>();
  const rules = new Map<number, ProtoField>();
  for (const field of protoFields(bytes, source)) {
    if (!field.bytes) continue;
    if (field.number === 1) pieces.push(readPiece(field.bytes, source));
    else if (field.number === 2) readInto(trainer, field.bytes, source);
    else if (field.number === 3) readInto(rules, field.bytes, source);
  }
  const unknown = pieces.findIndex(piece => piece.type === PIECE.unknown);
  if (unknown < 0) throw new NarrowsError(`${source} is no SentencePiece model (it has no unknown piece); get the file again.`);
  const repeated = pieces.length - new Set(pieces.map(piece => piece.text)).size;
  if (repeated > 0) throw new NarrowsError(`${source} is damaged: ${repeated} of its pieces occur in it twice; get the file again.`);
  const kind = trainer.get(3);
  const algorithm = kind ? ALGORITHMS[protoInt(kind)] : 'unigram';
  if (algorithm !== 'unigram' && algorithm !== 'bpe')
    throw new NarrowsError(
      `${source} is a SentencePiece model of the kind "${algorithm ?? protoInt(kind!)}"; "unigram" and "bpe" can be read.`,
    );
  const flag = (fields: Map<number, ProtoField>, number: number, otherwise: boolean): boolean => {
    const field = fields.get(number);
    return field ? protoBool(field) : otherwise;
  };
  return {
    pieces,
    algorithm,
    unknownId: unknown,
    unknownPiece: pieces[unknown].text,
    byteFallback: flag(trainer, 35, false),
    treatWhitespaceAsSuffix: flag(trainer, 24, false),
    charsmap: rules.get(2)?.bytes ?? new Uint8Array(),
    addDummyPrefix: flag(rules, 3, true),
    removeExtraWhitespaces: flag(rules, 4, true),
    escapeWhitespaces: flag(rules, 5, true),
  };
}
