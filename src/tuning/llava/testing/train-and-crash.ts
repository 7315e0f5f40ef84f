/** @file Runs trainLlava on the arguments in a file and kills itself on the way: `ARGS.json KIND POINT`, see testing/crash.ts. */
import { readFileSync } from 'node:fs';
import { crashAt } from '../../testing/crash.ts';

const [file, kind, point] = process.argv.slice(2);
const onProgress = crashAt(kind, point);
const { trainLlava } = await import('../train.ts');
const { tuneTrainingSchema } = await import('../arguments.ts');
await trainLlava(tuneTrainingSchema.parse(JSON.parse(readFileSync(file, 'utf8'))), { onProgress }).catch((error: Error) => {
  console.error(error.message);
  process.exit(3);
});
process.exit(0);
