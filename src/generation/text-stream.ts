/** @file Text of a growing list of tokens, piece by piece, and stop strings, which may lie across tokens. */

/** Turns tokens into text. Called with all new tokens of a row, since one character may take several. */
export interface Decode {
  (ids: readonly number[]): string;
  /**
   * The beginning of the text that stays whatever tokens follow (`Tokenizer.decodeSettled`). Without it everything counts as settled but half
   * characters at the end, which suits decoders that only append.
   */
  settled?(ids: readonly number[]): string;
}

/** The text of one row. Pieces joined are `text`. */
export class TextStream {
  private readonly ids: number[] = [];
  private shown = 0;
  /** All text so far, cut before the stop string that ended it. */
  text = '';
  /** The stop string that was met. */
  stop: string | undefined;

  constructor(
    private readonly decode: Decode,
    private readonly stops: readonly string[] = [],
  ) {}

  /** Adds a token. @returns the text that can be shown now: nothing that a later token changes, nothing that may become a stop string */
  push(id: number): string {
    this.ids.push(id);
    const text = this.decode(this.ids);
    const met = this.stops.flatMap(stop => {
      const at = text.indexOf(stop, Math.max(0, this.shown - stop.length));
      return at < 0 ? [] : [{ stop, at }];
    });
    if (met.length) {
      const first = met.reduce((a, b) => (b.at < a.at ? b : a));
      this.stop = first.stop;
      this.text = text.slice(0, first.at);
      return this.show(this.text.length);
    }
    this.text = text;
    const settled = this.decode.settled?.(this.ids) ?? text.replace(/\uFFFD+$/, '');
    return this.show(settled.length - this.openStop(settled));
  }

  /** What was held back, when no more tokens come. */
  finish(): string {
    return this.show(this.text.length);
  }

  /** How many characters at the end may be the beginning of a stop string. */
  private openStop(text: string): number {
    let most = 0;
    for (const stop of this.stops)
      for (let n = Math.min(stop.length - 1, text.length); n > most; n--) if (text.endsWith(stop.slice(0, n))) most = n;
    return most;
  }

  private show(end: number): string {
    const piece = this.text.slice(this.shown, Math.max(this.shown, end));
    this.shown = Math.max(this.shown, end);
    return piece;
  }
}
