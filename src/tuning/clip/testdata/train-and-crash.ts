/**
 * @file Runs trainClip on the arguments in a file and kills itself with SIGKILL on the way: `ARGS.json step N` after a step,
 * `ARGS.json before PATTERN` before the first change of the file system, written as `rename PATH`, that the pattern matches.
 */
import { promises, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [file, kind, point] = process.argv.slice(2);
const die = (): unknown => process.kill(process.pid, 'SIGKILL');
const functions = promises as unknown as Record<string, (...given: unknown[]) => unknown>;
for (const name of ['open', 'rename', 'rm', 'mkdir']) {
  const original = functions[name];
  functions[name] = (...given) => {
    if (kind === 'before' && new RegExp(point).test(`${name} ${given[0]}`)) die();
    return original(...given);
  };
}
syncBuiltinESMExports();

const { trainClip } = await import('../train.ts');
const { clipTrainingSchema } = await import('../arguments.ts');
await trainClip(clipTrainingSchema.parse(JSON.parse(readFileSync(file, 'utf8'))), {
  onProgress(step) {
    if (kind === 'step' && step === Number(point)) die();
  },
});
process.exit(0);
