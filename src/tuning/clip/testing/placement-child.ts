/**
 * @file A process that runs one training step of a tiny CLIP on the device that NARROWS_DEVICE names, and prints its loss and what ONNX Runtime's
 * profile says of it: the types of values that went to the host within the step. `plain` as argument: as the processor's graph is lowered.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../../../graph/index.ts';
import { nodeRuntime } from '../../../runtime/node.ts';
import { loadSprites } from '../../../scenes/sprites.ts';
import { floats } from '../../../tensor/tensor.ts';
import { clipTrainingSchema } from '../arguments.ts';
import { sceneBatch } from '../batch.ts';
import { trainGraph } from '../graph.ts';
import { initialiseCLIP } from '../initialise.ts';
import { sceneSource } from '../source.ts';
import { TINY } from '../testdata/tiny.ts';

const { config } = sceneSource(clipTrainingSchema.parse({ ...TINY, output_dir: 'none' }));
const traced = trainGraph(config, { contrastive: 1, naming: 1, dense: 1 }, 2);
const weights = initialiseCLIP(config, traced.parameters, 5).map(p => [p.name, floats(p.shape, p.data)] as const);
const look = { imageSize: 96, patchSize: 24, imageMean: [0.5, 0.5, 0.5], imageStd: [0.3, 0.3, 0.3] };
const settings = { ...look, seed: 3, batchSize: 4, curriculumSteps: 1, maxObjects: 2, namesPerStep: 16, keptPatches: [] };
const batch = sceneBatch(await loadSprites(), settings, 3);

const own = nodeRuntime();
const runtime = process.argv[2] === 'plain' ? { ...own, webgpu: false } : own;
const folder = await mkdtemp(join(tmpdir(), 'narrows-placement-'));
const graph = await compile(runtime, traced.outputs, { profile: join(folder, 'step') });
const { loss } = await graph.run({ ...Object.fromEntries(weights), ...batch });
await graph.release();
const [file] = await readdir(folder);
interface Event {
  readonly args?: { readonly op_name?: string; readonly provider?: string; readonly output_type_shape?: readonly object[] };
}
const events = (JSON.parse(await readFile(join(folder, file), 'utf8')) as Event[]).flatMap(({ args }) => args ?? []);
await rm(folder, { recursive: true });
const typesOf = ({ output_type_shape: types = [] }: NonNullable<Event['args']>): string => types.flatMap(Object.keys).join();
process.stdout.write(
  JSON.stringify({
    loss: loss.data[0],
    nodes: events.filter(({ provider }) => provider === 'WebGpuExecutionProvider').length,
    toHost: events.filter(({ op_name }) => op_name === 'MemcpyToHost').map(typesOf),
  }),
);
