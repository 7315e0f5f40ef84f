/** @file `narrows doctor`: what this machine is, what is installed, what is cached, how fast the engine runs, and what is wrong. */
import { access, constants, readFile, stat } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, platform, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { listCached } from '../../checkpoints/hub/cache.ts';
import { cacheDirectory, hubEndpoint, isOffline } from '../../checkpoints/hub/settings.ts';
import { bundledModels, DEFAULT_MODEL } from '../../models/bundled.ts';
import { messageOf } from '../../system/errors.ts';
import { formatBytes, formatDuration, formatNumber } from '../../system/format.ts';
import { version } from '../../system/version.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { type Benchmark, benchmark } from '../doctor/benchmark.ts';
import { examples } from '../flags.ts';

function configure(command: Command): void {
  command
    .option('--no-benchmark', 'leave the five-second benchmark out')
    .addHelpText('after', examples(['narrows doctor', 'Check this machine'], ['narrows doctor --json > doctor.json', 'For a bug report']));
}

/** Memory that a container grants, where that is less than the machine's. */
async function memoryLimit(): Promise<number> {
  const text = await readFile('/sys/fs/cgroup/memory.max', 'utf8').catch(() => '');
  return Math.min(totalmem(), Number(text.trim()) || Number.POSITIVE_INFINITY);
}

const packageVersion = async (load: () => Promise<string>): Promise<string> => {
  try {
    return await load();
  } catch (error) {
    return `cannot be loaded (${messageOf(error).split('\n')[0]})`;
  }
};

async function existingParent(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found || dirname(path) === path ? path : existingParent(dirname(path));
}

async function collect(context: Context, withBenchmark: boolean) {
  const warnings: string[] = [];
  const cache = cacheDirectory();
  const cached = await listCached().catch(error => {
    warnings.push(messageOf(error));
    return [];
  });
  await access(await existingParent(cache), constants.W_OK).catch(() =>
    warnings.push(`The cache ${cache} cannot be written; set HF_HUB_CACHE.`),
  );
  const onnxruntime = await packageVersion(async () => (await import('onnxruntime-node')).env.versions.node ?? '?');
  const sharp = await packageVersion(async () => (await import('sharp')).default.versions.sharp ?? '?');
  const shipped = await bundledModels();
  const memory = { total: await memoryLimit(), free: freemem(), threads: availableParallelism() };
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 12)) warnings.push(`Node ${process.versions.node} is too old; Narrows needs 20.12 or newer.`);
  if (onnxruntime.startsWith('cannot')) warnings.push(`onnxruntime-node ${onnxruntime}; reinstall narrows for this platform.`);
  if (sharp.startsWith('cannot')) warnings.push(`sharp ${sharp}; reinstall narrows for this platform.`);
  if (!shipped.includes(DEFAULT_MODEL))
    warnings.push(`The default model ${DEFAULT_MODEL} is not in this installation; name one with --model.`);
  if (memory.total < 1e9) warnings.push(`Only ${formatBytes(memory.total)} of memory; a ViT-B checkpoint needs about one gigabyte.`);
  if (isOffline()) warnings.push('HF_HUB_OFFLINE is set: nothing will be downloaded.');
  if (process.arch !== 'x64' && process.arch !== 'arm64') warnings.push(`onnxruntime-node has no build for ${process.arch}.`);
  let speed: Benchmark | undefined;
  if (withBenchmark && !onnxruntime.startsWith('cannot')) {
    speed = await benchmark(context, shipped.includes(DEFAULT_MODEL) ? DEFAULT_MODEL : undefined);
    if (speed.gflops < 10) warnings.push('Matrix products are very slow here: is the machine busy, or a virtual one without AVX2?');
  }
  return {
    versions: { narrows: version, node: process.versions.node, onnxruntime, sharp },
    machine: {
      platform: `${platform()} ${release()}`,
      arch: process.arch,
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: cpus().length,
      threads: memory.threads,
    },
    memory: { total: memory.total, free: memory.free },
    hub: {
      endpoint: hubEndpoint(),
      offline: isOffline(),
      cache,
      models: cached.length,
      bytes: cached.reduce((sum, m) => sum + m.bytes, 0),
    },
    shipped,
    benchmark: speed,
    warnings,
  };
}

async function run(context: Context, options: Options) {
  const report = await collect(context, options.benchmark !== false);
  context.status();
  if (context.json) {
    context.print(JSON.stringify(report));
    return undefined;
  }
  const { versions: v, machine: m, hub, benchmark: b } = report;
  const rows: [string, string][] = [
    ['narrows', v.narrows],
    ['Node', v.node],
    ['ONNX Runtime', v.onnxruntime],
    ['sharp', v.sharp],
    ['System', `${m.platform} ${m.arch}`],
    ['Processor', `${m.cpu}, ${m.cores} cores, ${m.threads} usable`],
    ['Memory', `${formatBytes(report.memory.total)}, ${formatBytes(report.memory.free)} free`],
    ['Models', report.shipped.join(', ') || 'none shipped'],
    ['Hub cache', `${hub.cache}: ${hub.models} models, ${formatBytes(hub.bytes)}`],
  ];
  if (b) rows.push(['Speed', `${formatNumber(b.gflops)} GFLOP/s in matrix products (float32, ${b.size} x ${b.size})`]);
  if (b?.forward) rows.push(['Forward pass', `${formatDuration(b.forward.seconds)} for an image and a caption with ${b.forward.model}`]);
  for (const [label, value] of rows) context.print(`${context.colours.style('bold', label.padEnd(13))} ${value}`);
  for (const warning of report.warnings) context.print(`${context.colours.style('yellow', 'Warning:')} ${warning}`);
  if (report.warnings.length === 0) context.print(context.colours.style('green', 'No problems found.'));
  return undefined;
}

/** `narrows doctor`. */
export const doctorCommand: CommandModule = { configure, run };
