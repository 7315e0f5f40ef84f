/** @file Bytes of text files as people have them: UTF-8, UTF-16 with its mark; another encoding is refused with file and line. */
import { NarrowsError } from '../system/errors.ts';

/** Decodes the pieces of one file, in their order. */
export class FileDecoder {
  private decoder: TextDecoder | undefined;
  private encoding = 'utf-8';
  private lines = 1;

  /** @param file named in sentences */
  constructor(private readonly file: string) {}

  /** @throws NarrowsError where the bytes are not of the file's encoding */
  decode(bytes: Uint8Array, last: boolean): string {
    this.decoder ??= this.open(bytes);
    try {
      const text = this.decoder.decode(bytes, { stream: !last });
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.lines++;
      return text;
    } catch {
      throw this.refusal(bytes);
    }
  }

  private open(bytes: Uint8Array): TextDecoder {
    const [a, b] = bytes;
    const wide =
      bytes.length > 3 && ((a === 0xff && b === 0xfe && bytes[2] === 0 && bytes[3] === 0) || (a === 0 && b === 0 && bytes[2] === 0xfe));
    if (wide) throw new NarrowsError(`${this.file} is UTF-32, which is not read; save it as UTF-8.`);
    if (a === 0xff && b === 0xfe) this.encoding = 'utf-16le';
    else if (a === 0xfe && b === 0xff) this.encoding = 'utf-16be';
    else if (bytes.subarray(0, 64).includes(0))
      throw new NarrowsError(`${this.file} holds zero bytes: it is no text, or UTF-16 without its mark; save it as UTF-8.`);
    return new TextDecoder(this.encoding, { fatal: true });
  }

  /** The sentence for bytes that cannot be decoded; its line is that of the first bad byte. */
  private refusal(bytes: Uint8Array): NarrowsError {
    const name = this.encoding.toUpperCase();
    let line = this.lines;
    if (this.encoding === 'utf-8') {
      // All before the bad byte decodes: halve until it is found.
      let [good, bad] = [0, bytes.length];
      while (bad - good > 1) {
        const middle = (good + bad) >> 1;
        if (decodes(bytes.subarray(0, middle))) good = middle;
        else bad = middle;
      }
      for (const byte of bytes.subarray(0, good)) if (byte === 10) line++;
    }
    return new NarrowsError(
      `${this.file}, line ${line}: the text is not ${name} (it may be GBK, Latin-1 or another encoding); save the file as UTF-8.`,
    );
  }
}

/** Whether bytes are UTF-8, but for a character that is cut at their end or was cut before their beginning. */
function decodes(bytes: Uint8Array): boolean {
  let start = 0;
  while (start < 3 && (bytes[start] & 0xc0) === 0x80) start++;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start), { stream: true });
    return true;
  } catch {
    return false;
  }
}

/**
 * The text of bytes that were read from a file, without a byte order mark.
 * @throws NarrowsError naming file and line where they are not UTF-8 (nor UTF-16 with its mark)
 */
export const decodeText = (bytes: Uint8Array, file: string): string => new FileDecoder(file).decode(bytes, true);
