/** @file Where the audits of a list stand: beside it, `NAME.audit/METHOD-KEY`, with what was asked; verdicts in `NAME.verdicts.jsonl`. */
import { extname, join } from 'node:path';
import { z } from 'zod';
import { readdir, readFile, rm, stat } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { auditName } from '../../studio/audit/name.ts';
import { auditRequest } from '../../studio/requests.ts';
import type { Source } from './sources.ts';

const schema = z.object({
  schemaVersion: z.literal(1),
  request: auditRequest,
  /** Pairs that failed in the last run, as the list has them. */
  failures: z.array(z.object({ image: z.string(), text: z.string(), reason: z.string() })),
  /** Whether the last run went to its end. */
  finished: z.boolean(),
});
/** An audit as it stands beside its list. */
export type AuditState = Omit<z.infer<typeof schema>, 'schemaVersion'>;

/** The list's path without its extension; a folder's own path. */
const baseOf = ({ path, list }: Source): string => (list === path ? path.slice(0, -extname(path).length) : path);

/** The file of verdicts of a source. */
export const verdictsPath = (source: Source): string => `${baseOf(source)}.verdicts.jsonl`;

/** The folder of a source's audits. */
export const auditsFolder = (source: Source): string => `${baseOf(source)}.audit`;

/** Keeps what was asked, and how it ended. @throws NarrowsError where it cannot be written */
export async function keepState(source: Source, state: AuditState): Promise<void> {
  await writeFileAtomic(
    join(auditsFolder(source), `${auditName(state.request)}.json`),
    `${JSON.stringify({ schemaVersion: 1, ...state }, undefined, 1)}\n`,
  );
}

/** Forgets what was asked; records stay. */
export const forgetState = (source: Source, request: AuditState['request']): Promise<void> =>
  rm(join(auditsFolder(source), `${auditName(request)}.json`), { force: true });

/** The audit that was asked for last; undefined for none. */
export async function lastState(source: Source): Promise<AuditState | undefined> {
  const folder = auditsFolder(source);
  const names = (await readdir(folder).catch(() => [])).filter(name => name.endsWith('.json'));
  const dated = await Promise.all(names.map(async name => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
  for (const { name } of dated.sort((a, b) => b.at - a.at)) {
    const parsed = schema.safeParse(
      await readFile(join(folder, name), 'utf8')
        .then(JSON.parse)
        .catch(() => undefined),
    );
    if (parsed.success) return parsed.data;
  }
  return undefined;
}
