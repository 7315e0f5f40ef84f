/** @file What the components of a tokenizer look like to each other. */

/** A component of tokenizer.json: its type and its own keys. */
export interface Component {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** One vocabulary entry; it covers `[from, to)` UTF-16 units of the pre-token. */
export interface Piece {
  readonly id: number;
  readonly from: number;
  readonly to: number;
}

/** A vocabulary with its rule for cutting. */
export interface TokenModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly unknownId: number | undefined;
  cut(text: string): Piece[];
}
