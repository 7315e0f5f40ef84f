/**
 * @file A process that makes 80 updates of a model of 8 MB and says when they begin: by `train`; by `train`, but with V8's own rule for the heap;
 * or `after` a run of `train`, by themselves.
 */
import { rmSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { add, compile, grad, input, mul, sub, sum } from '../../graph/index.ts';
import { AdamW } from '../../optim/adamw.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { floats } from '../../tensor/tensor.ts';
import { trainingArgumentsSchema } from '../arguments.ts';
import { type TrainTask, train } from '../trainer.ts';

const [mode, directory] = process.argv.slice(2);
const UPDATES = 80;
const shape = [250, 200] as const;
const names = Array.from({ length: 40 }, (_, i) => `w${i}`);
const weights = names.map(name => input(name, shape));
const away = weights.map(w => sub(w, input('x', [1])));
const loss = away.map(d => sum(mul(d, d))).reduce((a, b) => add(a, b));
const runtime = nodeRuntime({ threads: 1 });
const graph = await compile(runtime, { loss, ...Object.fromEntries(grad(loss, weights).map((g, i) => [`grad.${names[i]}`, g])) });
const parameters = names.map(name => ({ name, shape, data: new Float32Array(50_000) }));
const task: TrainTask = { runtime, graph, parameters, batch: async step => ({ x: floats([1], [step]) }), save: async () => {} };
const args = (steps: number) => trainingArgumentsSchema.parse({ output_dir: directory, max_steps: steps, save_steps: 10_000 });
const begin = (): void => {
  if (mode === 'own-rule') setFlagsFromString('--heap-growing-percent=0');
  // A walk sets the limit of the next one: so the rule that holds now counts, not the one of before.
  globalThis.gc?.();
  console.log('begins');
};
if (mode === 'after') {
  await train(task, args(1));
  begin();
  const optimizer = new AdamW(parameters);
  for (let step = 0; step < UPDATES; step++) {
    const out = await graph.run({ x: floats([1], [step]), ...Object.fromEntries(parameters.map(p => [p.name, floats(p.shape, p.data)])) });
    optimizer.step(new Map(names.map(name => [name, out[`grad.${name}`].data as Float32Array])), 0.001);
  }
} else await train(task, args(UPDATES), { onStart: begin });
rmSync(directory, { recursive: true, force: true });
