/** What a call that is wrong is answered with: whose flag it is, what was meant. Calls go through the whole command tree. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { methods } from '../attribution/registry.ts';
import { explain } from './errors.ts';
import { runProgram } from './program.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-suggestions-'));
});
afterAll(() => rm(root, { recursive: true }));

const answer = async (...args: string[]): Promise<string | undefined> => {
  try {
    await runProgram(args, new AbortController().signal);
    return undefined;
  } catch (error) {
    const { text, code } = explain(error);
    expect(code).toBe(2);
    return text;
  }
};
const config = async (values: object): Promise<string> => {
  const file = join(root, `${Math.random()}.json`);
  await writeFile(file, JSON.stringify(values));
  return file;
};

describe('a flag of another method', () => {
  it.each([
    ['--layers', 'last', 'grad-cam'],
    ['--layers', '2', 'grad-cam'],
    ['--stat', 'median', 'rise'],
    ['--removal', 'teleport', 'saliency'],
  ])('%s %s with %s names its owners, whatever its value and wherever the method is named', async (flag, value, method) => {
    const key = flag.slice(2);
    const owners = methods.filter(m => key in m.schema.shape).map(m => m.name);
    if (owners.length === 0) return expect(await answer('attribute', flag, value, '--method', method)).toContain('Unknown option');
    const sentence = `${flag} is an option of ${owners.slice(0, owners.length > 4 ? 4 : undefined).join(', ')}${owners.length > 4 ? ' and others' : ''}, not of ${method}.`;
    expect(await answer('attribute', flag, value, '--method', method)).toBe(sentence);
    expect(await answer('attribute', '--method', method, flag, value)).toBe(sentence);
  });

  it('in a config file is named with the file, or with its owners', async () => {
    const file = await config({ method: 'grad-cam', layers: 'middle' });
    expect(await answer('attribute', '--config', file)).toMatch(
      /"layers" is wrong \("middle"\): give one of last, all \(an option of .*\)/,
    );
    expect(await answer('attribute', '--config', await config({ method: 'grad-cam', layers: 'last' }))).toContain('not of grad-cam');
  });

  it('is refused by its owner where the value is wrong', async () => {
    const owner = methods.find(m => 'layers' in m.schema.shape)!.name;
    expect(await answer('attribute', '--method', owner, '--layers', '2')).toBe('--layers cannot be "2": give one of last, all.');
    expect(await answer('attribute', '--method', 'rise', '--samples', 'many')).toBe('--samples cannot be "many": give a number.');
  });
});

describe('a mistyped flag', () => {
  it('is answered with the nearest one, and with whose it is', async () => {
    expect(await answer('attribute', '--method', 'm2ib', '--step', '3')).toBe("Unknown option '--step'; did you mean --steps?");
    expect(await answer('attribute', '--method', 'rise', '--step', '3')).toMatch(/did you mean --steps, an option of .*m2ib/);
    expect(await answer('attribute', '--method', 'rise', '--sampels', '3')).toBe("Unknown option '--sampels'; did you mean --samples?");
    expect(await answer('attribute', '--method', 'grad-cam', '--sampels', '3')).toMatch(/did you mean --samples, an option of .*rise/);
    expect(await answer('attribute', '--modlity', 'image')).toBe("Unknown option '--modlity'; did you mean --modality?");
    expect(await answer('attribute', '--qiet')).toBe("Unknown option '--qiet'; did you mean --quiet?");
    expect(await answer('attribute', '--utterly-unlike')).toBe("Unknown option '--utterly-unlike'.");
  });
});

describe('a mistyped word', () => {
  it('is answered with the one that was meant, on the command line and in files', async () => {
    expect(await answer('train', 'tune', '--output-dir', root, '--method', 'vitle')).toMatch(/full, lora, vittle; did you mean vittle\?$/);
    expect(await answer('train', 'clip', '--output-dir', root, '--optim', 'adam')).toMatch(/did you mean adamw\?$/);
    expect(await answer('attribute', '--modality', 'imgae')).toMatch(/did you mean image\?$/);
    expect(await answer('attribute', '--modality', 'hologram')).not.toContain('did you mean');
    const file = await config({ output_dir: root, method: 'vitle' });
    expect(await answer('train', 'tune', '--config', file)).toMatch(/"method" is wrong: .*did you mean vittle\.$/);
  });
});

describe('absurd numbers', () => {
  it.each([
    ['attribute', '--method', 'rise', '--samples', '1e9'],
    ['attribute', '--method', 'm2ib', '--batch-size', '2000000'],
    ['attribute', '--method', 'lime', '--samples', '1e300'],
    ['attribute', '--seeds', '1000000000'],
    ['train', 'clip', '--output-dir', 'x', '--num-threads', '2147483648'],
    ['train', 'clip', '--output-dir', 'x', '--per-device-train-batch-size', '1e9'],
    ['train', 'clip', '--output-dir', 'x', '--vision-hidden-size', '1e9'],
    ['train', 'tune', '--output-dir', 'x', '--num-threads', '1e18', '--max-steps', '1'],
    ['train', 'tune', '--output-dir', 'x', '--lora-r', '1e9', '--max-steps', '1'],
    ['experiment', 'vittle-scenes', '--output', 'x', '--start', 's', '--num-threads', '2147483648'],
    ['experiment', 'vittle-scenes', '--output', 'x', '--start', 's', '--scenes', '1e9'],
    ['experiment', 'vittle-scenes', '--output', 'x', '--start', 's', '--seeds', 'NaN'],
    ['compare', '--output', 'x', '--samples', '99999999999'],
    ['compare', '--output', 'x', '--seeds', '99999999999'],
  ])('%s … are refused before anything is made', async (...args) => {
    const text = await answer(...args);
    expect(text).toMatch(/at most|from \d+ to|<=|Too big|whole number/);
    expect(text?.length).toBeLessThan(300);
  });
});
