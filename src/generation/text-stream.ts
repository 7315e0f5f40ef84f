/** @file Text of a growing list of tokens, told piece by piece, and stop strings, which may lie across tokens. */

/** Turns tokens into text. Called with all new tokens of a row, since one character may take several. */
export type Decode = (ids: readonly number[]) => string;

/** The text of one row. */
export class TextStream {
  private readonly ids: number[] = [];
  private told = 0;
  /** All text so far, cut before the stop string that ended it. */
  text = '';
  /** The stop string that was met. */
  stop: string | undefined;

  constructor(
    private readonly decode: Decode,
    private readonly stops: readonly string[] = [],
  ) {}

  /** Adds a token. @returns the text that can be shown now: no half character, nothing that may become a stop string */
  push(id: number): string {
    this.ids.push(id);
    const text = this.decode(this.ids);
    const met = this.stops.flatMap(stop => {
      const at = text.indexOf(stop, Math.max(0, this.told - stop.length));
      return at < 0 ? [] : [{ stop, at }];
    });
    if (met.length) {
      const first = met.reduce((a, b) => (b.at < a.at ? b : a));
      this.stop = first.stop;
      this.text = text.slice(0, first.at);
      return this.tell(this.text.length);
    }
    this.text = text;
    let end = text.length;
    while (end > 0 && text[end - 1] === '\uFFFD') end--;
    return this.tell(end - this.openStop(text.slice(0, end)));
  }

  /** What was held back, when no more tokens come. */
  finish(): string {
    return this.tell(this.text.length);
  }

  /** How many characters at the end may be the beginning of a stop string. */
  private openStop(text: string): number {
    let most = 0;
    for (const stop of this.stops)
      for (let n = Math.min(stop.length - 1, text.length); n > most; n--) if (text.endsWith(stop.slice(0, n))) most = n;
    return most;
  }

  private tell(end: number): string {
    const piece = this.text.slice(this.told, Math.max(this.told, end));
    this.told = Math.max(this.told, end);
    return piece;
  }
}
