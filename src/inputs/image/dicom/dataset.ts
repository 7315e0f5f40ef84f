/** @file The elements of a DICOM file that pixels depend on, through dicom-parser. No value of any other element is ever read out. */
import type { DataSet } from 'dicom-parser';
import { NarrowsError } from '../../../system/errors.ts';
import { PACKINGS, TRANSFER_SYNTAXES, type TransferSyntax } from './transfer-syntax.ts';

/** A table that maps values (Modality LUT, VOI LUT). */
export interface Lut {
  /** First value that is mapped; those below get the first entry, those beyond the last. */
  readonly first: number;
  readonly bits: number;
  readonly entries: Uint16Array;
}

/** A window as the file gives it. */
export interface DicomWindow {
  readonly center: number;
  readonly width: number;
  /** What the file calls it, such as `LUNG`. */
  readonly explanation?: string;
}

/** What a DICOM file says of its pixels. */
export interface DicomHeader {
  readonly dataSet: DataSet;
  readonly syntax: TransferSyntax;
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly samples: number;
  readonly planar: boolean;
  readonly photometric: string;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly slope?: number;
  readonly intercept?: number;
  readonly modalityLut?: Lut;
  readonly voiLuts: readonly Lut[];
  readonly windows: readonly DicomWindow[];
  readonly voiFunction: string;
  /** Height of a pixel over its width where they differ. */
  readonly aspect?: number;
  readonly modality?: string;
  readonly sopInstance?: string;
}

/** The parser, loaded when the first DICOM file is met. */
export async function loadParser(): Promise<typeof import('dicom-parser')> {
  const module = await import('dicom-parser');
  return (module as unknown as { default: typeof import('dicom-parser') }).default ?? module;
}

/** Whether bytes begin as a DICOM file (PS3.10: 128 bytes, then "DICM"). */
export const isDicom = (bytes: Uint8Array): boolean =>
  bytes.length > 132 && bytes[128] === 0x44 && bytes[129] === 0x49 && bytes[130] === 0x43 && bytes[131] === 0x4d;

const cut = (name: string, cause?: unknown): NarrowsError =>
  new NarrowsError(`${name} is a DICOM file that is damaged or cut short; export it again.`, { cause });

/** Numbers of a text element (DS, IS), separated by backslashes; undefined where one is none. */
function numbers(dataSet: DataSet, tag: string): number[] | undefined {
  const text = dataSet.string(tag);
  if (text === undefined || text.trim() === '') return undefined;
  const values = text.split('\\').map(part => (part.trim() === '' ? Number.NaN : Number(part)));
  return values.every(Number.isFinite) ? values : undefined;
}

/** The tables of a sequence. */
function luts(dataSet: DataSet, tag: string, signed: boolean, little: boolean): Lut[] {
  return (dataSet.elements[tag]?.items ?? []).flatMap(({ dataSet: item }): Lut[] => {
    const data = item?.elements.x00283006;
    const [count, first, bits] = [0, 1, 2].map(i => item?.uint16('x00283002', i));
    if (!item || !data || count === undefined || first === undefined || bits === undefined) return [];
    const length = count || 65536;
    const view = new DataView(item.byteArray.buffer, item.byteArray.byteOffset + data.dataOffset, data.length);
    // Entries of 8 bits may come as bytes.
    const wide = data.length >= 2 * length;
    if (!wide && data.length < length) return [];
    const entries = Uint16Array.from({ length }, (_, i) => (wide ? view.getUint16(2 * i, little) : view.getUint8(i)));
    return [{ first: signed && first > 32767 ? first - 65536 : first, bits, entries }];
  });
}

/** Height over width of a pixel; undefined where they are equal or not given. */
function aspectOf(dataSet: DataSet): number | undefined {
  const ratio = numbers(dataSet, 'x00280034') ?? numbers(dataSet, 'x00280030') ?? numbers(dataSet, 'x00181164');
  if (ratio?.length !== 2 || !(ratio[0] > 0 && ratio[1] > 0)) return undefined;
  const aspect = ratio[0] / ratio[1];
  return Math.abs(aspect - 1) < 1e-3 ? undefined : aspect;
}

/** Bytes that writers leave behind deflated data: none, one to make it even, a checksum with the length. Browsers refuse data with a tail. */
const TAILS = [0, 1, 8, 9];

/** Inflates raw deflate data, as Web Streams do everywhere. */
async function inflate(bytes: Uint8Array): Promise<Uint8Array> {
  let problem: unknown;
  for (const tail of TAILS)
    try {
      const whole = new Blob([bytes.subarray(0, bytes.length - tail) as Uint8Array<ArrayBuffer>]);
      const stream = whole.stream().pipeThrough(new DecompressionStream('deflate-raw'));
      return new Uint8Array(await new Response(stream).arrayBuffer());
    } catch (error) {
      problem ??= error;
    }
  throw problem;
}

/** The parsed file. A deflated one is inflated first, which dicom-parser leaves to the caller. */
async function parse(name: string, bytes: Uint8Array): Promise<DataSet> {
  const parser = await loadParser();
  try {
    const meta = parser.readPart10Header(bytes, undefined as never);
    const deflated = meta.string('x00020010') === '1.2.840.10008.1.2.1.99';
    if (!deflated) return parser.parseDicom(bytes);
    const from = (meta as unknown as { position: number }).position;
    const rest = await inflate(bytes.subarray(from));
    const whole = new Uint8Array(from + rest.length);
    whole.set(bytes.subarray(0, from));
    whole.set(rest, from);
    return parser.parseDicom(whole, { inflater: (() => whole) as never });
  } catch (error) {
    // Nothing of the parser's words: they might quote the file.
    throw cut(name, error instanceof Error ? new Error('dicom-parser refused the file') : undefined);
  }
}

/**
 * Reads what the pixels of a DICOM file depend on. @param name how sentences begin: `Image film.dcm`
 * @throws NarrowsError for a file without pixels, of an unknown packing or pixel format, or damaged; no sentence holds data of a patient
 */
export async function readHeader(name: string, bytes: Uint8Array): Promise<DicomHeader> {
  const dataSet = await parse(name, bytes);
  const uid = dataSet.string('x00020010') ?? '1.2.840.10008.1.2';
  const syntax = TRANSFER_SYNTAXES[uid];
  const [rows, columns] = [dataSet.uint16('x00280010'), dataSet.uint16('x00280011')];
  if (!dataSet.elements.x7fe00010) {
    const other = dataSet.elements.x7fe00008 || dataSet.elements.x7fe00009 ? 'floating-point pixels' : undefined;
    throw new NarrowsError(
      other
        ? `${name} is a DICOM file of ${other}, which are not read; export it with whole numbers of 8 to 16 bits.`
        : `${name} is a DICOM file without pixels (a report, plan or the like, or one that is cut short); give one that holds a picture.`,
    );
  }
  if (!syntax)
    throw new NarrowsError(
      `${name} is a DICOM file in a transfer syntax that is not read (${/^[\d.]{1,64}$/.test(uid) ? uid : 'of no valid UID'}); convert it to one of ${PACKINGS}.`,
    );
  if (!rows || !columns) throw cut(name);
  const samples = dataSet.uint16('x00280002') ?? 1;
  const bitsAllocated = dataSet.uint16('x00280100') ?? 16;
  const bitsStored = dataSet.uint16('x00280101') ?? bitsAllocated;
  const photometric = (dataSet.string('x00280004') ?? (samples === 3 ? 'RGB' : 'MONOCHROME2')).trim();
  if (!/^(MONOCHROME[12]|RGB|YBR_(FULL|FULL_422|RCT|ICT))$/.test(photometric))
    throw new NarrowsError(
      `${name} is a DICOM file of colours that are not read (${/^[A-Z_ 0-9]{1,16}$/.test(photometric) ? photometric : 'of an unknown kind'}); export it as MONOCHROME1, MONOCHROME2 or RGB.`,
    );
  const grey = photometric.startsWith('MONO');
  if (samples !== (grey ? 1 : 3)) throw cut(name);
  if ((bitsAllocated !== 8 && bitsAllocated !== 16) || bitsStored < 1 || bitsStored > bitsAllocated)
    throw new NarrowsError(
      `${name} is a DICOM file with ${bitsAllocated} bits per sample, of which 8 and 16 are read; export it with one of them.`,
    );
  const signed = dataSet.uint16('x00280103') === 1;
  const little = !syntax.bigEndian;
  const [center, width] = [numbers(dataSet, 'x00281050'), numbers(dataSet, 'x00281051')];
  const explained = dataSet.string('x00281055')?.split('\\');
  const windows = (center ?? []).flatMap((c, i): DicomWindow[] =>
    width?.[i] === undefined ? [] : [{ center: c, width: width[i], ...(explained?.[i] ? { explanation: explained[i].trim() } : {}) }],
  );
  const [slope] = numbers(dataSet, 'x00281053') ?? [];
  const [intercept] = numbers(dataSet, 'x00281052') ?? [];
  const [modalityLut] = luts(dataSet, 'x00283000', signed, little);
  const modality = dataSet.string('x00080060')?.trim();
  const aspect = aspectOf(dataSet);
  return {
    ...{ dataSet, syntax, rows, columns, samples, photometric, bitsAllocated, bitsStored, signed, windows },
    frames: Math.max(1, Math.floor(numbers(dataSet, 'x00280008')?.[0] ?? 1)),
    planar: dataSet.uint16('x00280006') === 1,
    ...(slope !== undefined && intercept !== undefined ? { slope, intercept } : {}),
    ...(modalityLut ? { modalityLut } : {}),
    voiLuts: luts(dataSet, 'x00283010', signed && !modalityLut, little),
    voiFunction: (dataSet.string('x00281056') ?? 'LINEAR').trim().toUpperCase(),
    ...(aspect === undefined ? {} : { aspect }),
    // A code of two letters; anything else is not one.
    ...(modality && /^[A-Z]{2,8}$/.test(modality) ? { modality } : {}),
    ...(dataSet.string('x00080018') ? { sopInstance: dataSet.string('x00080018') } : {}),
  };
}
