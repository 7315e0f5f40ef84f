/** @file How an audit is called, for any backend: folders, verdicts and records stand under its name. */
import { sha256Hex } from '../../system/sha256.ts';
import type { AuditRequest } from '../requests.ts';

/** Name of an audit: its method, and a key of everything that was asked. */
export function auditName({ model, method, modality, seed }: AuditRequest): string {
  const options = Object.entries(method.options).sort(([a], [b]) => (a < b ? -1 : 1));
  const key = sha256Hex(JSON.stringify([model, method.name, options, modality, seed])).slice(0, 8);
  return `${method.name.replaceAll(/[^\w-]+/g, '-')}-${key}`;
}
