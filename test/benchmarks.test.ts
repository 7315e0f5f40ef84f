/** @file `narrows benchmarks` as a process: lists, describes, and refuses in one sentence. */
import { rmSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { benchmarks } from '../src/evaluation/benchmarks/registry.ts';
import { narrows, scratch } from './support.ts';

const cwd = scratch();
const call = (...args: string[]) => narrows(['benchmarks', ...args], { cwd });
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

it('lists and describes', async () => {
  const [list, all, one, json] = await Promise.all([call(), call('--json'), call('lb-coco'), call('pope', '--json')]);
  for (const { name } of benchmarks) expect(list.stdout).toContain(name);
  expect(JSON.parse(all.stdout).map((one: { name: string }) => one.name)).toEqual(benchmarks.map(one => one.name));
  expect(one.stdout).toMatch(/^LLaVA-Bench \(COCO\) \(llava-bench-coco\)/);
  expect(one.stdout).toMatch(/licence +CC BY-NC 4\.0/);
  expect(JSON.parse(json.stdout)).toMatchObject({
    name: 'pope',
    scorers: expect.arrayContaining(['pope@official']),
    prompts: [{ name: 'llava@1.5', source: expect.any(String) }, { name: 'plain@1' }],
  });
});

it('refuses in one sentence, with exit code 2', async () => {
  const { code, stdout, stderr } = await call('mmu');
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toBe('narrows: There is no benchmark "mmu": did you mean mme or mmmu?\n');
});
