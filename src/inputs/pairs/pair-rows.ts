/** @file Image–caption pairs out of the text of a list: CSV (commas, semicolons, tabs), JSON lines or a JSON list, wherever the text comes from. */
import { parseJson } from '../../checkpoints/config.ts';
import { parseTable } from '../../system/csv.ts';
import { NarrowsError } from '../../system/errors.ts';
import { parseExact } from '../../system/exact-json.ts';
import { phrasesByCommas } from '../text/phrases.ts';

/** Names under which a folder of pictures brings its list. */
export const FOLDER_LISTS = [
  ...['metadata', 'pairs', 'captions', 'reports'].flatMap(name => [`${name}.jsonl`, `${name}.csv`]),
  'metadata.parquet',
];
/** What a picture's file is called. */
export const PICTURE_NAME = /\.(png|jpe?g|webp|gif|avif|tiff?|bmp|p[bgpn]m|dcm|dicom)$/i;

/** A pair as it stands in the file. */
export interface ListedPair {
  /** Path as written; of a picture inside of a parquet file its name there (`pairs.parquet#12:image`). */
  readonly image: string;
  /** Path to open: relative ones start at the file's directory. */
  readonly path: string;
  readonly text: string;
  /** Line in the file, from 1; of a JSON list, the number of the entry; of parquet, of the row. */
  readonly line: number;
  /** Names the pair in errors: `pairs.csv, line 3`. */
  readonly where: string;
  /** Every other column or key, as it stands there. */
  readonly further: Readonly<Record<string, unknown>>;
  /** Where the text is a list of findings: each of them. Empty where the picture has none. */
  readonly findings?: readonly string[];
}

/** Names of columns and keys that are understood, in any case; the first that is there wins. */
export const PAIR_COLUMNS = {
  image: ['image', 'image_path', 'file_name', 'filename', 'path', 'filepath'],
  text: ['text', 'caption', 'question', 'sentence', 'title'],
} as const;
const { image: IMAGE, text: TEXT } = PAIR_COLUMNS;
const FINDINGS = ['findings', 'finding', 'phrases'];

/** Names of columns that a sentence lists. */
const SHOWN = 8;

/** What a file's pairs are read with. */
export interface ReadPairsOptions {
  /** Called with each bad row, which is left out; without it the first one is an error. */
  readonly ignore?: (message: string) => void;
  /** Where no column holds captions, take one of findings (between commas or semicolons, or a list), which may be empty. */
  readonly findings?: boolean;
  /** Called once with what was chosen among several columns. */
  readonly onWarning?: (message: string) => void;
}

type Row = { readonly fields: Readonly<Record<string, unknown>>; readonly line: number; readonly where: string };

/** Reads the rows of one list. */
export class PairReader {
  private warned = false;

  /** @param file the list, named in sentences @param place the path to open of a picture that the list names */
  constructor(
    private readonly file: string,
    private readonly place: (image: string) => string,
    private readonly options: ReadPairsOptions,
  ) {}

  /** A row; one that is bad is left out and said, where the options say so. */
  attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!this.options.ignore || !(error instanceof NarrowsError)) throw error;
      this.options.ignore(error.message);
    }
  }

  /** The name among `names` that stands for what is wanted. */
  private column(names: readonly string[], wanted: readonly string[]): string | undefined {
    return wanted.map(name => names.find(each => each.trim().toLowerCase() === name)).find(name => name !== undefined);
  }

  /** @throws NarrowsError where one is missing */
  columns(names: readonly string[], where: string): { image: string; text: string; listed?: boolean } {
    const image = this.column(names, IMAGE);
    const caption = this.column(names, TEXT);
    const findings = caption === undefined && this.options.findings ? this.column(names, FINDINGS) : undefined;
    const text = caption ?? findings;
    const there = `its columns are ${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ', …' : ''}`;
    if (image === undefined) throw new NarrowsError(`${where} has no column for the image (${there}); name it one of ${IMAGE.join(', ')}.`);
    if (text === undefined)
      throw new NarrowsError(
        `${where} has no column for the caption (${there}); name it one of ${[...TEXT, ...(this.options.findings ? FINDINGS.slice(0, 1) : [])].join(', ')}.`,
      );
    for (const [chosen, wanted, what] of [
      [image, IMAGE, 'image'],
      [text, TEXT, 'caption'],
    ] as const) {
      const others = names.filter(name => name !== chosen && (wanted as readonly string[]).includes(name.trim().toLowerCase()));
      if (others.length > 0 && !this.warned) {
        this.options.onWarning?.(
          `${where} has ${[chosen, ...others].map(name => JSON.stringify(name)).join(' and ')}; the ${what} is taken from "${chosen}".`,
        );
        this.warned = true;
      }
    }
    return { image, text, listed: findings !== undefined };
  }

  pair({ fields, line, where }: Row, names: ReturnType<PairReader['columns']> = this.columns(Object.keys(fields), where)): ListedPair {
    const { [names.image]: image, [names.text]: written, ...rest } = fields;
    const findings = names.listed ? findingsOf(written, `${where}: ${names.text}`) : undefined;
    const [text, further] = findings ? [findings.join(', '), { ...rest, [names.text]: written }] : [written, rest];
    const empty = [names.image, ...(findings ? [] : [names.text])].find(name => fields[name] === null || fields[name] === undefined);
    if (empty !== undefined) throw new NarrowsError(`${where}: ${empty} is empty.`);
    if (typeof image !== 'string' || typeof text !== 'string')
      throw new NarrowsError(`${where}, must give ${names.image} and ${names.text} as texts.`);
    if (image.trim() === '') throw new NarrowsError(`${where}: the image has no name.`);
    return {
      image,
      path: this.place(image),
      text,
      line,
      where,
      further,
      ...(findings && { findings }),
    };
  }

  /** Pairs of comma-separated values, or semicolons, or tabs. @throws NarrowsError */
  table(content: string): ListedPair[] {
    const [header, ...records] = parseTable(content, this.file);
    if (!header) throw new NarrowsError(`${this.file} is empty; its first line should name the columns image and text.`);
    const twice = header.fields.find((name, i) => name.trim() !== '' && header.fields.indexOf(name) !== i);
    if (twice !== undefined) throw new NarrowsError(`${this.file}: two columns are called "${twice}"; give each a name of its own.`);
    const names = this.columns(header.fields, `The first line of ${this.file}`);
    const count = header.fields.length;
    const pairs: ListedPair[] = [];
    for (const { fields, line } of records) {
      const where = `${this.file}, line ${line}`;
      this.attempt(() => {
        if (fields.length !== count)
          throw new NarrowsError(
            `${where}: ${fields.length} fields where the first line has ${count}; put quotes around a caption with commas.`,
          );
        pairs.push(this.pair({ fields: Object.fromEntries(header.fields.map((name, i) => [name, fields[i]])), line, where }, names));
      });
    }
    return pairs;
  }

  /** Pairs of JSON lines. @throws NarrowsError */
  lines(content: string): ListedPair[] {
    const pairs: ListedPair[] = [];
    for (const [i, row] of content.split('\n').entries()) {
      if (row.trim() === '') continue;
      const where = `${this.file}, line ${i + 1}`;
      this.attempt(() => pairs.push(this.pair({ fields: asObject(parseJson(row, where, parseExact), where), line: i + 1, where })));
    }
    return pairs;
  }

  /** Pairs of the entries of a JSON list. @throws NarrowsError */
  async records(records: AsyncIterable<{ readonly value: unknown; readonly where: string }>): Promise<ListedPair[]> {
    const pairs: ListedPair[] = [];
    let entry = 0;
    for await (const { value, where } of records) {
      entry++;
      this.attempt(() => pairs.push(this.pair({ fields: asObject(value, where), line: entry, where })));
    }
    return pairs;
  }
}

/** The findings of a cell. @throws NarrowsError that begins with `where` for anything but a text, a list of texts, or nothing */
function findingsOf(value: unknown, where: string): readonly string[] {
  if (value === null || value === undefined) return [];
  if (typeof value === 'string') return phrasesByCommas(value).map(({ text }) => text);
  if (Array.isArray(value) && value.every(one => typeof one === 'string')) return value.map(one => one.trim()).filter(one => one !== '');
  throw new NarrowsError(`${where} must be a text with findings between commas or semicolons, or a list of texts.`);
}

const asObject = (value: unknown, where: string): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NarrowsError(`${where}, is no JSON object.`);
  return value as Record<string, unknown>;
};
