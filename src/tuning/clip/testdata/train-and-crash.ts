/**
 * @file Runs trainClip on the arguments in a file and kills itself with SIGKILL on the way: `ARGS.json step N` after a step, `ARGS.json write N`
 * before the N-th change of the file system, `ARGS.json int N` sends SIGINT-like aborts. Without a point it prints the number of changes.
 */
import { promises, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [file, kind, at] = process.argv.slice(2);
let changes = 0;
const die = (): void => process.kill(process.pid, 'SIGKILL') && undefined;
const functions = promises as unknown as Record<string, (...given: unknown[]) => unknown>;
for (const name of ['open', 'rename', 'rm', 'mkdir']) {
  const original = functions[name];
  functions[name] = (...given) => {
    const reading = name === 'open' && (given[1] === undefined || given[1] === 'r');
    if (!reading && ++changes === Number(at) && kind === 'write') die();
    return original(...given);
  };
}
syncBuiltinESMExports();

const { trainClip } = await import('../train.ts');
const { clipTrainingSchema } = await import('../arguments.ts');
await trainClip(clipTrainingSchema.parse(JSON.parse(readFileSync(file, 'utf8'))), {
  onProgress(step) {
    if (kind === 'step' && step === Number(at)) die();
  },
});
process.stdout.write(String(changes));
process.exit(0);
