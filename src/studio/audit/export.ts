/** @file An audit as a file to take away: a line of JSON for each pair of the list, for any backend. */
import { exactJson } from '../../system/exact-json.ts';
import type { AuditRow } from '../facts.ts';
import type { AuditRequest } from '../requests.ts';

/** The type of such a file. */
export const LINES_TYPE = 'application/x-ndjson';

/**
 * The lines, in the order of the list. What was not attributed, or not judged, has no values.
 * @param request what the audit that is shown was asked for; undefined before any
 */
export function auditLines(rows: readonly AuditRow[], request: AuditRequest | undefined): string {
  const asked = request && {
    ...{ model: request.model, method: request.method.name, options: request.method.options },
    ...{ modality: request.modality, seed: request.seed },
  };
  return rows.map(({ key: _, ...row }) => `${exactJson({ ...row, ...asked })}\n`).join('');
}
