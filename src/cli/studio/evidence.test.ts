import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyse } from '../../report/comparison/analyse.ts';
import { drawGallery } from '../../report/comparison/draw-gallery.ts';
import { resultsJson } from '../../report/comparison/json.ts';
import { exampleResults } from '../../report/comparison/testing/example-results.ts';
import { exampleRun } from '../../report/evaluation/testing/example-run.ts';
import { StudioError } from '../../studio/protocol.ts';
import { exactJson } from '../../system/exact-json.ts';
import { evidenceJson } from './evidence-reader.ts';
import { openSource } from './sources.ts';
import { type TestStudio, testStudio } from './testing/studio.ts';

const folder = mkdtempSync(join(tmpdir(), 'narrows-evidence-'));
const { results } = exampleRun();
let studio: TestStudio;
let comparison: string;
let evaluation: string;

beforeAll(async () => {
  const analysis = analyse(await exampleResults({}), { resamples: 20, flips: 19 });
  mkdirSync(join(folder, 'compare'));
  writeFileSync(join(folder, 'compare', 'results.json'), Buffer.concat([...resultsJson(analysis, await drawGallery(analysis.results))]));
  mkdirSync(join(folder, 'evaluate'));
  writeFileSync(join(folder, 'evaluate', 'results.json'), exactJson(results));
  writeFileSync(join(folder, 'evaluate', 'run.json'), '{}');
  const sources = await Promise.all(['compare', 'evaluate'].map(name => openSource(join(folder, name))));
  [comparison, evaluation] = sources.map(source => source.info.id);
  studio = await testStudio({ sources });
});
afterAll(async () => {
  await studio[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe('results in the studio', () => {
  it('of a comparison and of an evaluation are read from their folders', async () => {
    const { client } = studio;
    expect((await client.sources()).map(s => [s.name, s.kind])).toEqual([
      ['compare', 'comparison'],
      ['evaluate', 'evaluation'],
    ]);
    const view = await client.comparison({ source: comparison });
    expect(view.parts[0].tables[0].rows.length).toBeGreaterThan(2);
    const robustness = await client.robustness({ source: evaluation });
    expect(JSON.parse(exactJson(robustness.results))).toEqual(JSON.parse(exactJson(results)));
    // The run is not whole: why there are no pictures stands in their place.
    expect(robustness.pictures).toHaveLength(results.worst.length);
    for (const one of robustness.pictures) expect(one.clean).toMatchObject({ problem: expect.stringMatching(/run\.json/) });
  });

  it('that are large are read beside the server, ended when the page goes or time is over, and refused where nobody could read them', async () => {
    const big = join(folder, 'big.json');
    const padding = Array.from({ length: 60_000 }, (_, i) => ({ i, text: `padding ${i} `.repeat(12) }));
    writeFileSync(big, exactJson({ ...results, worst: [], padding }));
    const source = await openSource(big);
    let answered = 0;
    let open = true;
    await using other = await testStudio({ sources: [source] });
    const reading = other.client.robustness({ source: source.info.id }).finally(() => {
      open = false;
    });
    while (open) {
      await other.client.sources();
      answered++;
    }
    expect((await reading).results.sets).toHaveLength(results.sets.length);
    // Each answer needs the server's own thread several times.
    expect(answered).toBeGreaterThan(10);
    await expect(evidenceJson('evaluation', source, { patience: 1 })).rejects.toMatchObject({ reason: 'timeout', message: /report\.html/ });
    const gone = new AbortController();
    const left = evidenceJson('evaluation', source, { signal: gone.signal });
    gone.abort(new StudioError('cancelled', 'The page has gone.'));
    await expect(left).rejects.toMatchObject({ reason: 'cancelled' });
    truncateSync(big, 101e6);
    await expect(evidenceJson('evaluation', source)).rejects.toMatchObject({
      reason: 'input',
      message: /big\.json has 101 MB, and the studio reads 100 MB/,
    });
    await expect(other.client.robustness({ file: new Blob([new Uint8Array(101e6)]), name: 'mine.json' })).rejects.toMatchObject({
      reason: 'input',
    });
  });

  it('of the wrong kind, or unknown, are refused in a sentence; a file that was chosen is read by the page itself', async () => {
    const { client } = studio;
    await expect(client.comparison({ source: evaluation })).rejects.toMatchObject({
      reason: 'usage',
      message: 'evaluate is no comparison.',
    });
    await expect(client.robustness({ source: comparison })).rejects.toMatchObject({ reason: 'usage' });
    await expect(client.comparison({ source: 'stranger' })).rejects.toMatchObject({ reason: 'missing' });
    await expect(client.rows({ source: comparison })).rejects.toMatchObject({ reason: 'usage' });
    const view = await client.robustness({ file: new Blob([exactJson(results)]), name: 'mine.json' });
    expect([view.name, view.results.model, view.pictures]).toEqual(['mine.json', results.model, []]);
  });
});
