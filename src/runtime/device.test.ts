import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { compile, input, mul } from '../graph/index.ts';
import { started } from '../testing/compiled.ts';
import { deviceError, deviceOf } from './device.ts';
import { nodeRuntime } from './node.ts';
import { SOFTWARE_CARD, withoutCard } from './testing/software-card.ts';

const CHILD = fileURLToPath(new URL('testing/device-child.ts', import.meta.url));
async function run(env: Readonly<Record<string, string>>): Promise<{ name: string; values: number[] }> {
  const { stdout } = await promisify(execFile)(process.execPath, started(CHILD), { env: { ...process.env, ...env } });
  return JSON.parse(stdout);
}

describe('a device', () => {
  it('is one of the known ones, the processor by default', () => {
    expect(deviceOf(undefined)).toBe('cpu');
    expect(deviceOf('cuda')).toBe('cuda');
    expect(() => deviceOf('gpu')).toThrow('There is no device "gpu"; take one of cpu, cuda, webgpu, coreml, dml.');
  });

  it('that is not here is named in one sentence, with what it needs; nothing falls back in silence', async () => {
    const device = process.platform === 'win32' ? 'coreml' : 'dml';
    const runtime = nodeRuntime({ device });
    expect(runtime.name).toBe(`onnxruntime-node (${device})`);
    await expect(compile(runtime, { y: mul(input('x', [2]), 2) })).rejects.toThrow(
      new RegExp(`^The device "${device}" cannot be used here \\(.*\\): it is for .*\\. Take --device cpu\\.$`),
    );
  });

  it('is not blamed for an error of the graph', () => {
    const error = new Error('Node (x) has input size 1 not in range');
    expect(deviceError(error, 'webgpu')).toBe(error);
    expect(deviceError(new Error('no available backend found'), 'cpu')).toMatchObject({ message: 'no available backend found' });
  });

  it.skipIf(withoutCard)(
    `of WebGPU gives the processor's gradient, on a card of software${withoutCard ? ` (left out: ${withoutCard})` : ''}`,
    async () => {
      const [cpu, gpu] = [await run({ NARROWS_DEVICE: 'cpu' }), await run(SOFTWARE_CARD)];
      expect([cpu.name, gpu.name]).toEqual(['onnxruntime-node', 'onnxruntime-node (webgpu)']);
      expect(gpu.values).toHaveLength(64);
      for (const [i, value] of gpu.values.entries()) expect(Math.abs(value - cpu.values[i])).toBeLessThan(1e-6);
      // Another implementation rounds in another way: equal bits would mean that the processor did it all.
      expect(gpu.values).not.toEqual(cpu.values);
    },
  );
});
