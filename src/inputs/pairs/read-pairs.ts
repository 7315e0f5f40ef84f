/** @file The one reader of image–caption pairs: CSV (commas, semicolons, tabs), JSON lines, a JSON list, or parquet, for every command. */
import { parseJson } from '../../checkpoints/config.ts';
import { basename, dirname, isAbsolute, join, resolve } from '../../node/paths.ts';
import { parseTable } from '../../system/csv.ts';
import { NarrowsError } from '../../system/errors.ts';
import { parseExact } from '../../system/exact-json.ts';
import { jsonRecords } from '../chat/json-records.ts';
import { pictureReference } from '../tables/picture-reference.ts';
import { tableRows } from '../tables/read-table.ts';
import { ByteCell } from '../tables/table.ts';
import { phrasesByCommas } from '../text/phrases.ts';
import { readText } from '../text-file.ts';

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

class Reader {
  private warned = false;

  constructor(
    private readonly file: string,
    private readonly options: ReadPairsOptions,
  ) {}

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

  pair({ fields, line, where }: Row, names: ReturnType<Reader['columns']> = this.columns(Object.keys(fields), where)): ListedPair {
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
      path: isAbsolute(image) ? image : join(dirname(resolve(this.file)), image),
      text,
      line,
      where,
      further,
      ...(findings && { findings }),
    };
  }
}

/** The findings of a cell. @throws NarrowsError that begins with `where` for anything but a text, a list of texts, or nothing */
function findingsOf(value: unknown, where: string): readonly string[] {
  if (value === null || value === undefined) return [];
  if (typeof value === 'string') return phrasesByCommas(value).map(({ text }) => text);
  if (Array.isArray(value) && value.every(one => typeof one === 'string')) return value.map(one => one.trim()).filter(one => one !== '');
  throw new NarrowsError(`${where} must be a text with findings between commas or semicolons, or a list of texts.`);
}

function* csvRows(content: string, file: string, reader: Reader, attempt: (work: () => void) => void): Generator<ListedPair> {
  const [header, ...records] = parseTable(content, file);
  if (!header) throw new NarrowsError(`${file} is empty; its first line should name the columns image and text.`);
  const twice = header.fields.find((name, i) => name.trim() !== '' && header.fields.indexOf(name) !== i);
  if (twice !== undefined) throw new NarrowsError(`${file}: two columns are called "${twice}"; give each a name of its own.`);
  const names = reader.columns(header.fields, `The first line of ${file}`);
  const count = header.fields.length;
  for (const { fields, line } of records) {
    const where = `${file}, line ${line}`;
    const out: ListedPair[] = [];
    attempt(() => {
      if (fields.length !== count)
        throw new NarrowsError(
          `${where}: ${fields.length} fields where the first line has ${count}; put quotes around a caption with commas.`,
        );
      out.push(reader.pair({ fields: Object.fromEntries(header.fields.map((name, i) => [name, fields[i]])), line, where }, names));
    });
    yield* out;
  }
}

const asObject = (value: unknown, where: string): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NarrowsError(`${where}, is no JSON object.`);
  return value as Record<string, unknown>;
};

/** The cells of a parquet row as a list has them: pictures by their names in the file, or by their paths where only these are there. */
function parquetFields(values: Readonly<Record<string, unknown>>, file: string, row: number): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value instanceof ByteCell) {
      fields[name] = value.hasBytes ? pictureReference(basename(file), row, name) : value.path;
      if (value.hasBytes && value.path !== undefined) fields[`${name}.path`] = value.path;
    } else if (isPathRecord(value)) fields[name] = value.path;
    else if (!(Array.isArray(value) && value.some(one => one instanceof ByteCell))) fields[name] = value;
  }
  return fields;
}

/** A picture of `datasets` whose bytes no row has. */
const isPathRecord = (value: unknown): value is { readonly path: string } =>
  typeof value === 'object' && value !== null && Object.keys(value).join() === 'path' && typeof Object.values(value)[0] === 'string';

/**
 * Reads all pairs of a `.csv`, `.tsv`, `.jsonl`, `.json` (UTF-8, or UTF-16 with its mark) or `.parquet` file.
 * @throws NarrowsError for another kind of file, missing columns, a broken row, or no pairs at all
 */
export async function readPairs(file: string, options: ReadPairsOptions = {}): Promise<ListedPair[]> {
  const kind = /\.(csv|tsv|jsonl|ndjson|json|parquet)$/i.exec(file)?.[1].toLowerCase();
  if (!kind)
    throw new NarrowsError(`${file} is neither .csv nor .jsonl nor .json nor .parquet; give a file of one of these kinds.`, {
      kind: 'usage',
    });
  const reader = new Reader(file, options);
  const pairs: ListedPair[] = [];
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!options.ignore || !(error instanceof NarrowsError)) throw error;
      options.ignore(error.message);
    }
  };
  if (kind === 'csv' || kind === 'tsv') pairs.push(...csvRows(await readText(file), file, reader, attempt));
  else if (kind === 'parquet') {
    let row = 0;
    for await (const { values, where } of tableRows(file)) {
      row++;
      attempt(() => pairs.push(reader.pair({ fields: parquetFields(values, file, row), line: row, where })));
    }
  } else if (kind === 'json') {
    let entry = 0;
    for await (const { value, where } of jsonRecords(file)) {
      entry++;
      attempt(() => pairs.push(reader.pair({ fields: asObject(value, where), line: entry, where })));
    }
  } else {
    for (const [i, row] of (await readText(file)).split('\n').entries()) {
      if (row.trim() === '') continue;
      const where = `${file}, line ${i + 1}`;
      attempt(() => pairs.push(reader.pair({ fields: asObject(parseJson(row, where, parseExact), where), line: i + 1, where })));
    }
  }
  if (pairs.length === 0) throw new NarrowsError(`${file} lists no pairs.`);
  return pairs;
}
