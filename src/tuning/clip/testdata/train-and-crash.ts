/** @file Runs trainClip on the arguments in a file and kills itself on the way: `ARGS.json KIND POINT`, see testing/crash.ts. */
import { readFileSync } from 'node:fs';
import { crashAt } from '../../testing/crash.ts';

const [file, kind, point] = process.argv.slice(2);
const onProgress = crashAt(kind, point);
const { trainClip } = await import('../train.ts');
const { clipTrainingSchema } = await import('../arguments.ts');
await trainClip(clipTrainingSchema.parse(JSON.parse(readFileSync(file, 'utf8'))), { onProgress });
process.exit(0);
