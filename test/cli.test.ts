/** @file The command line as a person uses it: real calls from sources, on a tiny random model with the scenes' vocabulary. */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../src/checkpoints/disk.ts';
import { attributionFromJson } from '../src/report/attribution/json.ts';
import { parseCsv } from '../src/system/csv.ts';
import { command, filesBelow, narrows, pooled, repository, scratch, writePicture, writeTinyModel } from './support.ts';

const cwd = scratch();
const at = (...parts: string[]): string => join(cwd, ...parts);
const call = (...args: string[]) => narrows(args, { cwd });
const attribute = (...args: string[]) => call('attribute', 'disc.png', 'a dog and a cat', '--model', 'model', ...args);

beforeAll(async () => {
  await writeTinyModel(at('model'));
  await writePicture(at('disc.png'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('attribute', () => {
  it('writes a picture and a report beside it, and prints the words', async () => {
    const { code, stdout, stderr } = await attribute('--method', 'm2ib');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const word of ['dog', 'cat', 'cosine', 'bits', 'Image map', 'Wrote disc.narrows.png', 'Wrote disc.narrows.html', 'in total'])
      expect(stdout).toContain(word);
    expect(readFileSync(at('disc.narrows.png')).subarray(1, 4).toString()).toBe('PNG');
    const html = readFileSync(at('disc.narrows.html'), 'utf8');
    expect(html).toContain('a dog and a cat');
    expect(html).toContain('narrows attribute --model model --image disc.png');
  });

  it('with --json: a result on stdout that reads back, the same for the same seed, another for another', async () => {
    const [first, again, other] = await Promise.all(
      pooled([
        () => attribute('--json', '--quiet', '--seed', '3'),
        () => attribute('--json', '--quiet', '--seed', '3'),
        () => attribute('--json', '--quiet', '--seed', '4'),
      ]),
    );
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const result = attributionFromJson(first.stdout);
    expect(result.parameters).toMatchObject({ seed: 3, seeds: 1, modality: 'both', steps: 6 });
    expect(result.image?.grid).toEqual([4, 4]);
    expect(result.provenance.image).toMatchObject({ name: 'disc.png', width: 96, height: 96 });
    expect(attributionFromJson(again.stdout).image?.tokens).toEqual(result.image?.tokens);
    expect(attributionFromJson(other.stdout).image?.tokens).not.toEqual(result.image?.tokens);
    expect(existsSync(at('scene.narrows.png'))).toBe(false);
  });

  it('flags beat the config file, which beats the defaults; the repeat command of a report gives the same', async () => {
    writeFileSync(
      at('config.json'),
      JSON.stringify({
        method: 'm2ib',
        steps: 4,
        learning_rate: 0.5,
        batchSize: 4,
        antithetic: false,
        seed: 9,
        image: 'disc.png',
        text: 'a dog',
        model: 'model',
      }),
    );
    const outputs = ['--output', 'made/a.json', '--output', 'made/a.svg', '--output', 'made/a.html', '--output', 'made/a.safetensors'];
    const made = await call(
      'attribute',
      '--config',
      'config.json',
      '--steps',
      '6',
      ...outputs,
      '--unit',
      'bits',
      '--theme',
      'dark',
      '--modality',
      'image',
      '--image-size',
      '120',
      '--seeds',
      '2',
    );
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toContain('rank stability');
    const result = attributionFromJson(readFileSync(at('made/a.json'), 'utf8'));
    expect(result.parameters).toMatchObject({
      steps: 6,
      learningRate: 0.5,
      batchSize: 4,
      antithetic: false,
      seed: 9,
      seeds: 2,
      imageSize: 120,
    });
    expect(result.text).toBeUndefined();
    expect(result.image?.grid).toEqual([5, 5]);
    expect(readFileSync(at('made/a.svg'), 'utf8')).toContain('bits');
    const { tensors, metadata } = await openSafetensors(at('made/a.safetensors'));
    expect([...tensors.keys()]).toContain('image.patches');
    expect(JSON.parse(metadata.narrows)).toMatchObject({ caption: 'a dog', method: 'm2ib' });
    const command = /narrows (attribute [^<]*--image-size 120[^<]*)</.exec(readFileSync(at('made/a.html'), 'utf8'))?.[1] ?? '';
    const words = [...command.replaceAll('&#39;', "'").matchAll(/'([^']*)'|(\S+)/g)].map(m => m[1] ?? m[2]);
    const again = await call(...words, '--json', '--quiet');
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(attributionFromJson(again.stdout).image?.tokens).toEqual(result.image?.tokens);
  });

  // The example and the default model are part of the package; without them this installation is not whole.
  it.runIf(existsSync(join(repository, 'models/scene-clip/config.json')) && existsSync(join(repository, 'examples/scene.json')))(
    'without any argument explains the shipped example',
    async () => {
      const { code, stdout, stderr } = await call('attribute', '--output', 'demo/');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain('scene-clip');
      expect(filesBelow(at('demo'))).toEqual(['scene.narrows.html', 'scene.narrows.png']);
    },
  );
});

describe('attribute --pairs', () => {
  const list = 'pairs.csv';
  const audit = (...args: string[]) =>
    call('attribute', '--pairs', list, '--output', 'audit', '--model', 'model', '--method', 'm2ib', ...args);

  it('audits all pairs, names the bad ones, resumes, and keeps the tables in order', async () => {
    await writePicture(at('left.png'), 96, 96, -20);
    writeFileSync(at('broken.png'), 'no picture');
    writeFileSync(
      at(list),
      'image,caption\r\ndisc.png,"a dog, a cat"\r\nnope.png,a dog\r\nleft.png,a dog\r\nbroken.png,a dog\r\ndisc.png,zorglub\r\n',
    );
    const first = await audit();
    expect(first.code).toBe(1);
    expect(first.stdout).toContain('2 of 5 pairs attributed, 3 failed.');
    for (const sentence of ['line 3: Image', 'nope.png does not exist', 'line 5: Image', 'line 6: The model’s'.replace('’', "'")])
      expect(first.stderr).toContain(sentence);
    const csv = parseCsv(readFileSync(at('audit/summary.csv'), 'utf8')).map(r => r.fields);
    expect(csv[0].slice(0, 4)).toEqual(['image', 'caption', 'cosine', 'image_bits']);
    expect(csv).toHaveLength(6);
    const cell = (row: readonly string[], name: string): string => row[csv[0].indexOf(name)];
    const bits = csv.slice(1, 3).map(row => Number(cell(row, 'image_bits')));
    expect(bits[0]).toBeLessThanOrEqual(bits[1]);
    for (const row of csv.slice(1)) {
      const [verdict, file] = ['verdict', 'report'].map(name => cell(row, name));
      expect(verdict.startsWith('failed') ? file === '' : existsSync(at('audit', file)), row[0]).toBe(true);
    }
    const lines = readFileSync(at('audit/results.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(lines.map(l => l.caption)).toEqual(['a dog, a cat', 'a dog', 'a dog', 'a dog', 'zorglub']);
    expect(lines[0].words.map((w: { text: string }) => w.text)).toEqual(['a', 'dog', ',', 'a', 'cat']);
    expect(readFileSync(at('audit/index.html'), 'utf8')).toContain('a dog, a cat');

    // The same again does nothing; a new pair alone is computed; other settings compute all.
    const stamp = (name: string) => statSync(at('audit', name)).mtimeMs;
    const report = cell(csv[1], 'report');
    const made = stamp(report);
    appendFileSync(at(list), 'left.png,a cat\n');
    const second = await audit('--json');
    expect(JSON.parse(second.stdout)).toMatchObject({ pairs: 6, done: 3, failed: 3, directory: 'audit' });
    expect(second.stderr).toContain('2 of 6 pairs are already finished');
    expect(stamp(report)).toBe(made);
    const third = await audit('--steps', '5', '--quiet', '--json');
    expect(third.stderr).not.toContain('already finished');
    expect(JSON.parse(third.stdout).done).toBe(3);
  });

  it('stopped by Ctrl-C: 130, whole files alone, and the rest when run again', async () => {
    writeFileSync(
      at('many.jsonl'),
      Array.from(
        { length: 60 },
        (_, i) =>
          `{"image": "disc.png", "text": "a dog ${'and a cat '.repeat(i % 4)}"}\n{"file_name": "left.png", "caption": "a cat ${i}"}\n`,
      ).join(''),
    );
    const args = ['attribute', '--pairs', 'many.jsonl', '--output', 'many', '--model', 'model', '--formats', 'json'];
    const records = (): string[] => (existsSync(at('many/cells.jsonl')) ? readFileSync(at('many/cells.jsonl'), 'utf8').split('\n') : []);
    const some = () => records().length > 4;
    const stopped = await narrows(args, { cwd, interruptWhen: some });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr.trimEnd().split('\n').at(-1)).toBe('narrows: Interrupted.');
    const there = filesBelow(at('many'));
    expect(there.filter(name => name.endsWith('.tmp'))).toEqual([]);
    expect(existsSync(at('many/index.html'))).toBe(false);
    for (const name of there.filter(n => n.endsWith('.json'))) JSON.parse(readFileSync(at('many', name), 'utf8'));
    const rest = await narrows([...args, '--json'], { cwd });
    expect(rest.code).toBe(0);
    expect(rest.stderr).toMatch(/\d+ of 120 pairs are already finished/);
    expect(JSON.parse(rest.stdout)).toMatchObject({ pairs: 120, done: 120, failed: 0 });
  });
});

describe('the other commands', () => {
  it('help: for the program, for a command, for a mistake', async () => {
    const [program, command, asked, none, version] = await Promise.all(
      pooled([
        () => call('--help'),
        () => call('attribute', '--method', 'm2ib', '--help'),
        () => call('help', 'models', 'info'),
        () => call(),
        () => call('--version'),
      ]),
    );
    for (const name of ['attribute', 'verify', 'scenes', 'train', 'models', 'doctor']) expect(program.stdout).toContain(name);
    expect(program).toMatchObject({ code: 0, stderr: '' });
    for (const text of [
      '--learning-rate <n>',
      'optimisation steps (of an answer',
      '(default: 6)',
      '--no-antithetic',
      'Examples:',
      '--json',
    ])
      expect(command.stdout).toContain(text);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    expect(asked.stdout).toContain('narrows models info [options] <model>');
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain('Usage: narrows');
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('models info and list, doctor: JSON on stdout', async () => {
    const [info, list, doctor, download] = await Promise.all(
      pooled([
        () => call('models', 'info', 'model', '--json'),
        () => call('models', 'list', '--json'),
        () => call('doctor', '--no-benchmark', '--json'),
        () => call('models', 'download', 'org/name'),
      ]),
    );
    expect(JSON.parse(info.stdout)).toMatchObject({ name: 'model', image: { layers: 3, width: 32, grid: [4, 4] }, dtypes: ['float32'] });
    expect(JSON.parse(info.stdout).sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.parse(list.stdout)).toMatchObject({ cached: [], cache: at('.hf/hub') });
    expect(JSON.parse(doctor.stdout)).toMatchObject({ versions: { node: process.versions.node }, hub: { offline: true } });
    expect(download).toMatchObject({ code: 1, stdout: '' });
    expect(download.stderr).toMatch(/^narrows: org\/name@main is not in the cache.*\n$/);
  });

  it('verify: 0 when all agrees, 1 beyond the tolerance', async () => {
    const tiny = join(repository, 'src/models/testdata/clip-tiny');
    const args = ['verify', '--model', tiny, '--reference', join(tiny, 'outputs.safetensors')];
    const [fine, strict] = await Promise.all(pooled([() => call(...args, '--json'), () => call(...args, '--tolerance', '1e-12')]));
    expect(fine).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(fine.stdout)).toMatchObject({ ok: true, counts: { failed: 0 } });
    expect(strict).toMatchObject({ code: 1, stderr: '' });
    expect(strict.stdout).toMatch(/departs: \d+ of \d+ tensors agree/);
  });

  it('verify: a SigLIP against PyTorch', async () => {
    const tiny = join(repository, 'src/models/siglip/testdata/siglip-tiny');
    const ended = await call('verify', '--model', tiny, '--reference', join(tiny, 'outputs.safetensors'));
    expect(ended.code).toBe(0);
    // The golden checkpoint was saved without a processor.
    expect(ended.stderr).toMatch(/^Warning: .*siglip-tiny has no image rules.*\n$/);
    expect(ended.stdout).toContain('ok: 16 of 16 tensors agree (2 inputs read, 0 not checked)');
  });

  it('scenes, then training on them from a config file, then attribution with what came out', async () => {
    const drawn = await call('scenes', '--count', '8', '--output', 'scenes', '--seed', '5', '--json', '--quiet', '--max-objects', '1');
    expect(drawn).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(drawn.stdout)).toMatchObject({ directory: 'scenes', count: 8, drawn: 8 });
    const pairs = readFileSync(at('scenes/scenes.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    writeFileSync(at('scenes/pairs.jsonl'), pairs.map(p => `${JSON.stringify({ image: p.file_name, caption: p.caption })}\n`).join(''));
    const tiny = {
      image_size: 96,
      patch_size: 24,
      vision_hidden_size: 32,
      vision_num_hidden_layers: 3,
      text_hidden_size: 32,
      text_num_hidden_layers: 3,
      projection_dim: 32,
      head_dim: 16,
    };
    writeFileSync(
      at('train.json'),
      JSON.stringify({ ...tiny, train_file: 'scenes/pairs.jsonl', per_device_train_batch_size: 4, max_steps: 50, num_threads: 1 }),
    );
    const trained = await call('train', 'clip', '--config', 'train.json', '--output-dir', 'run', '--max-steps', '2', '--quiet', '--json');
    expect(trained).toMatchObject({ code: 0 });
    expect(JSON.parse(trained.stdout)).toMatchObject({ output_dir: 'run', step: 2, finished: true });
    const used = await call('attribute', join('scenes', pairs[0].file_name), pairs[0].caption, '--model', 'run', '--json', '--quiet');
    expect(used).toMatchObject({ code: 0, stderr: '' });
  });

  it('a reader that goes away is no error', async () => {
    const script = `"$0" "$@" | head -n 1; echo "codes \${PIPESTATUS[*]}"`;
    const { file, args } = command(['attribute', '--help']);
    const child = spawn('bash', ['-c', script, file, ...args], { cwd: repository });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', text => (output += text));
    await new Promise(resolve => child.on('close', resolve));
    expect(output).toMatch(/^Usage: narrows attribute.*\ncodes 0 0\n$/);
  });
});
