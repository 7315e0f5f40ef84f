/** The audit's numbers: on maps whose answer is known, and on planted records. */
import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CLIPModel } from '../../models/pretrained.ts';
import { sharp } from '../../node/sharp.ts';
import { type AuditListOptions, auditItems } from './items.ts';
import { denied, holds, mirrored } from './phrases.ts';
import type { AuditRecord } from './record.ts';
import { runAudit } from './run.ts';
import { summarise } from './summary.ts';
import { verdicts } from './verdict.ts';

const folder = mkdtempSync(join(tmpdir(), 'audit-'));
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

/** A dark picture with a bright checkered square at the left, a third down. */
async function picture(name: string): Promise<void> {
  const data = new Uint8Array(96 * 64).fill(30);
  for (let y = 20; y < 36; y++) for (let x = 24; x < 40; x++) data[y * 96 + x] = (x + y) % 2 ? 255 : 120;
  await sharp(data, { raw: { width: 96, height: 64, channels: 1 } })
    .png()
    .toFile(join(folder, name));
}

const HEAD = 'dicom_id,category_name,label_text,x,y,w,h\n';
const list = (more: Partial<AuditListOptions> = {}): AuditListOptions => ({
  pairs: join(folder, 'reports.csv'),
  boxes: join(folder, 'boxes.csv'),
  seed: 0,
  ...more,
});

describe('phrases', () => {
  it('exchange sides, deny, and are found in reports', () => {
    expect(mirrored('Small left pleural effusion')).toBe('Small right pleural effusion');
    expect(mirrored('Right-sided PICC')).toBe('Left-sided PICC');
    expect([mirrored('cardiomegaly'), mirrored('left and right effusions')]).toEqual([undefined, undefined]);
    expect([denied('small left effusion', 'Pleural Effusion'), denied('no effusion', 'Pleural Effusion')]).toEqual([
      'no pleural effusion',
      undefined,
    ]);
    expect([holds('There is a SMALL,  left effusion.', 'small left effusion'), holds('a small leftover', 'small left')]).toEqual([
      true,
      false,
    ]);
  });
});

describe('an audit', () => {
  it('puts a map’s share where the boxes are: a uniform map gets their area, gradients of the picture the square', {
    timeout: 180_000,
  }, async () => {
    await picture('one.png');
    await picture('two.png');
    write('reports.csv', 'image,text\none.png,"a cat on the left. a dog."\ntwo.png,a red apple\n');
    write(
      'boxes.csv',
      `${HEAD}one,Square,a cat on the left,20,16,24,24\none,Elsewhere,a dog,64,16,24,24\ntwo,Square,a red apple,20,16,24,24\n`,
    );
    const { items, warnings } = await auditItems(list());
    expect(warnings).toEqual([expect.stringContaining('have no other to be shuffled with')]);
    expect(items.map(i => [i.image, i.mirrored, i.shuffled])).toEqual([
      ['one.png', 'a cat on the right', undefined],
      ['one.png', undefined, undefined],
      ['two.png', undefined, 'a dog'],
    ]);
    await using model = await CLIPModel.fromPretrained('scene-clip');
    const run = { directory: join(folder, 'out'), seed: 0 };
    const uniform = await runAudit(model, items, { ...run, method: 'uniform' });
    expect(uniform.failures.join()).toBe('');
    // The view is the middle 64 × 64 of the picture, and holds both boxes.
    for (const record of uniform.records) expect(record.inside.phrase).toBeCloseTo(record.area, 6);
    expect(uniform.records[0].area).toBeCloseTo((24 * 24) / (64 * 64), 2);
    const edges = await runAudit(model, items, { ...run, method: 'image-gradient-magnitude' });
    const [square, elsewhere] = edges.records;
    expect(square.inside.phrase).toBeGreaterThan(0.8);
    expect(elsewhere.inside.phrase).toBeLessThan(0.2);
    expect([square.pointing, elsewhere.pointing]).toEqual([1, 0]);
    // Random weights change nothing of a control that looks at no model.
    expect(square.like.randomised).toBeCloseTo(1, 6);
    expect(square.cosine.phrase).not.toBe(square.cosine.mirrored);
    // Finished findings are not measured again.
    const again = await runAudit(model, items, { ...run, method: 'image-gradient-magnitude', progress: () => expect.unreachable() });
    expect(again.records).toEqual(edges.records);
  });

  it('refuses in one sentence what does not fit together', async () => {
    write('reports.csv', 'image,text\none.png,a cat on the left\n');
    const refused = async (boxes: string, more: Partial<AuditListOptions> = {}): Promise<string> => {
      write('boxes.csv', HEAD + boxes);
      const error = await auditItems(list(more)).then(
        () => undefined,
        (e: Error) => e,
      );
      expect(error?.name).toBe('NarrowsError');
      return error!.message.replaceAll(`${folder}/`, '');
    };
    expect(await refused('one,Cat,a white cat,1,1,4,4\n')).toBe(
      'boxes.csv, line 2: the report of reports.csv, line 2 does not hold the phrase of the box; is it the report of another picture?',
    );
    expect(await refused('three,Cat,a cat,1,1,4,4\n')).toContain('has no report of the picture three');
    expect(await refused('one,Cat,a cat,1,1,4,4\n', { findings: ['Cot'] })).toContain('has no finding "Cot"');
    write('reports.csv', 'image,text\none.png,a cat\nfolder/one.png,a dog\n');
    expect(await refused('one,Cat,a cat,1,1,4,4\n')).toContain('has a report already');
  });

  it('takes lists of findings in place of reports, and a folder of pictures without either', async () => {
    await picture('one.png');
    write('boxes.csv', `${HEAD}one,Pleural Effusion,small left effusion,1,1,4,4\n`);
    const findings = write('findings.csv', 'image,findings\none.png,"nodule; pleural effusion"\n');
    const { items } = await auditItems(list({ pairs: findings }));
    expect(items.map(i => [i.image, i.phrase])).toEqual([['one.png', 'small left effusion']]);
    write('findings.csv', 'image,findings\none.png,nodule\n');
    await expect(auditItems(list({ pairs: findings }))).rejects.toThrow(
      /boxes\.csv, line 2: the findings of .*findings\.csv, line 2 do not hold Pleural Effusion; are they those of another picture\?$/,
    );
    const films = join(folder, 'films');
    mkdirSync(films);
    copyFileSync(join(folder, 'one.png'), join(films, 'one.png'));
    const bare = await auditItems(list({ pairs: films }));
    expect(bare.items[0].path).toBe(join(films, 'one.png'));
    expect(bare.warnings[0]).toBe(`${films} brings no reports, so the phrases of the boxes were not held against any.`);
    // An empty report is a report, and does not hold the phrase.
    write('reports.csv', 'image,text\none.png,\n');
    await expect(auditItems(list())).rejects.toThrow('does not hold the phrase of the box');
  });

  it('leaves out a box beyond its picture, and says so', { timeout: 120_000 }, async () => {
    await picture('one.png');
    write('reports.csv', 'image,text\none.png,a cat\n');
    write('boxes.csv', `${HEAD}one,Cat,a cat,80,50,40,40\n`);
    const { items } = await auditItems(list());
    await using model = await CLIPModel.fromPretrained('scene-clip');
    const { records, failures } = await runAudit(model, items, { directory: join(folder, 'beyond'), seed: 0, method: 'uniform' });
    expect(records).toEqual([]);
    expect(failures[0]).toContain('reaches out of the picture of 96 x 64 pixels');
  });
});

/** A record with planted numbers. */
const record = (i: number, inside: AuditRecord['inside'], cosine: AuditRecord['cosine']): AuditRecord => ({
  ...{
    id: `${i}`,
    image: `${Math.floor(i / 2)}.png`,
    label: i % 2 ? 'B' : 'A',
    phrase: 'x',
    area: 0.1,
    inside,
    cosine,
    pointing: 1,
    iou: 0.2,
    iouArea: 0.3,
    like: { denied: 0.9 },
  },
  ...{ total: 1, grid: [1, 1], view: { left: 0, top: 0, width: 1, height: 1 }, maps: {}, boxes: [], warnings: [] },
});

describe('verdicts', () => {
  const answers = (records: AuditRecord[]): Record<string, string> =>
    Object.fromEntries(verdicts(summarise(records, 0)[0]).map(v => [v.question, v.answer]));
  const MORE = 'Does the map lie on the finding more than a map that says nothing?';

  it('say yes to a planted effect, no to its reverse, and nothing where there is none or too few pictures', () => {
    const noise = (i: number): number => ((i * 37) % 11) / 100 - 0.05;
    const planted = (shift: number, n = 40) =>
      Array.from({ length: n }, (_, i) =>
        record(i, { phrase: 0.1 + shift + noise(i), mirrored: 0.1 }, { phrase: 0.5, mirrored: 0.5 - shift, denied: 0.9 }),
      );
    expect(answers(planted(0.3))).toMatchObject({
      [MORE]: 'yes',
      'Does the map tell left from right?': 'yes',
      'Does the model tell left from right?': 'yes',
      'Does the model tell a finding from its denial?': 'no',
    });
    expect(answers(planted(-0.08))).toMatchObject({ [MORE]: 'no', 'Does the model tell left from right?': 'no' });
    expect(answers(planted(0))[MORE]).toBe('open');
    expect(answers(planted(0.3, 12))[MORE]).toBe('open');
    expect(answers(planted(0.3))['Does the map heed the words?']).toBe('not asked');
  });

  it('sum up by class, and resample pictures, not findings', () => {
    const records = Array.from({ length: 40 }, (_, i) => record(i, { phrase: i % 2 ? 0.6 : 0.2 }, { phrase: 0.5 }));
    const [all, a, b] = summarise(records, 0);
    expect([all.figures.inside.mean, a.figures.inside.mean, b.figures.inside.mean]).toEqual([0.4, 0.2, 0.6].map(v => expect.closeTo(v, 9)));
    expect(all.figures.inside).toMatchObject({ n: 40, pictures: 20 });
    // Each picture has one of either class: their mean is the same however pictures are drawn.
    expect(all.figures.inside.high - all.figures.inside.low).toBeLessThan(1e-9);
  });
});
