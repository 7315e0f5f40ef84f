/** @file What an audit's results are, as results.json has them. */
import type { AuditRecord } from '../../evaluation/radiology/record.ts';
import type { AuditSummary } from '../../evaluation/radiology/summary.ts';

/** Everything that page, picture and Markdown are made from. */
export interface AuditResults {
  readonly schemaVersion: 1;
  readonly version: string;
  readonly command: string;
  readonly model: { readonly name: string; readonly sha256: string };
  readonly method: string;
  readonly unit: string;
  readonly seed: number;
  readonly data: { readonly findings: number; readonly pictures: number; readonly form: string };
  /** All findings first, then each class. */
  readonly summaries: readonly AuditSummary[];
  readonly records: readonly AuditRecord[];
  /** Findings that could not be measured. */
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
}
