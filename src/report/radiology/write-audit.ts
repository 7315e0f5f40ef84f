/** @file Writes an audit: report.html, audit.png, audit.md, results.json. */
import type { AuditItem } from '../../evaluation/radiology/items.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import { drawFinding, typical } from './draw.ts';
import { auditHtml } from './html.ts';
import { auditMarkdown } from './markdown.ts';
import type { AuditResults } from './results.ts';
import { auditSheet } from './sheet.ts';

const SIDE = 184;

/** Writes all files. @returns their paths */
export async function writeAudit(
  results: AuditResults,
  items: readonly AuditItem[],
  directory: string,
  pictures?: ImageReadOptions,
): Promise<string[]> {
  const paths = new Map(items.map(item => [item.id, item.path]));
  const draw = async (count: number, kind: 'small' | 'exact') => {
    const drawn = [];
    for (const record of typical(results.records, count))
      drawn.push(await drawFinding(record, paths.get(record.id)!, pictures, SIDE, kind));
    return drawn;
  };
  const two = await draw(2, 'small');
  const one = await draw(1, 'exact');
  const files: Record<string, string | Uint8Array> = {
    'report.html': auditHtml(results, two),
    'audit.png': await auditSheet(one, `${results.model.name}: what its maps say of ${results.data.findings} findings`, SIDE),
    'audit.md': `${auditMarkdown(results, 'audit.png')}`,
    'results.json': `${JSON.stringify(results, null, 1)}\n`,
  };
  const written: string[] = [];
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await writeFileAtomic(path, content);
    written.push(path);
  }
  return written;
}
