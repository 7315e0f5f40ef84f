/** @file A file of contexts, read so that boxes stay as they are written. */
import { parseJson } from '../../checkpoints/config.ts';
import { type JsonRecord, jsonRecords } from '../../inputs/chat/json-records.ts';
import { readFile } from '../../node/disk.ts';
import { readError } from '../../system/read-error.ts';
import { withBoxTexts } from './context.ts';

/** Records of JSON lines whose boxes are texts; of a JSON list, whose numbers are as JavaScript writes them. @throws NarrowsError naming file and line */
export async function* contextRecords(path: string): AsyncGenerator<JsonRecord> {
  const text = await readFile(path, 'utf8').catch(error => {
    throw readError(path, error);
  });
  if (!/^\s*\{/.test(text)) return yield* jsonRecords(path);
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const where = `${path}, line ${i + 1}`;
    yield { value: parseJson(withBoxTexts(line), where), where };
  }
}
