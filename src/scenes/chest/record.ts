/** @file What is written of a phantom chest: a line of `chests.jsonl`. */
import type { Chest } from './chest.ts';
import type { Place } from './finding.ts';
import { type ReportSentence, reportText } from './report.ts';

/** Version of the lines in `chests.jsonl`. */
export const CHEST_SCHEMA_VERSION = 1;

/** One line of `chests.jsonl`. */
export interface ChestRecord {
  readonly schemaVersion: number;
  readonly file_name: string;
  readonly report: string;
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  readonly sample: number;
  readonly findings: readonly (Place & {
    readonly name: string;
    /** Its sentence in the report. */
    readonly phrase: string;
    /** Left, top, width, height. */
    readonly box: readonly [number, number, number, number];
    /** Pixels. */
    readonly area: number;
  })[];
}

/** The record of a chest, and the report's sentences. */
export function chestRecord(
  chest: Chest,
  sentences: readonly ReportSentence[],
  at: Pick<ChestRecord, 'file_name' | 'seed' | 'sample'>,
): ChestRecord {
  const phrases = new Map(sentences.flatMap(({ text, finding }) => (finding === undefined ? [] : [[finding, text] as const])));
  return {
    schemaVersion: CHEST_SCHEMA_VERSION,
    ...at,
    report: reportText(sentences),
    width: chest.width,
    height: chest.height,
    findings: chest.findings.map(({ mask, box, ...rest }, i) => ({
      ...rest,
      phrase: phrases.get(i)!,
      box: [box.left, box.top, box.width, box.height],
      area: mask.reduce((sum, v) => sum + v, 0),
    })),
  };
}
