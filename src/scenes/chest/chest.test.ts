import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { rleCounts } from '../../evaluation/compare/data/masks.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { RandomStream } from '../../tensor/random.ts';
import { decodeRle } from '../rle.ts';
import { chestBytes, drawChest } from './chest.ts';
import { dicomFile } from './dicom-file.ts';
import { chestRecord } from './record.ts';
import { FINDINGS, findingOf } from './registry.ts';
import { CHEST_WORDS, PLACES, phraseOf, placeIndex, reportSentences, reportText } from './report.ts';
import { packCounts, truthFiles } from './truth-files.ts';

const stream = new RandomStream(3, 'chests');
const many = Array.from({ length: 60 }, (_, i) => drawChest({ width: 96, height: 96, minFindings: 1 }, stream.reader(0, i)));
const meanWhere = (values: Float32Array, mask: Uint8Array): number => {
  const inside = values.filter((_, i) => mask[i]);
  return inside.reduce((a, b) => a + b, 0) / inside.length;
};

describe('phantom chests', () => {
  it('gives the same bytes for the same cell, other ones for another', () => {
    const hash = (cell: number): string =>
      createHash('sha256')
        .update(chestBytes(drawChest({ width: 64, height: 64 }, stream.reader(0, cell))))
        .digest('hex');
    expect(hash(1)).toBe(hash(1));
    expect(hash(1)).not.toBe(hash(2));
  });

  it('puts findings on the side that is said: the patient’s left is on the picture’s right', () => {
    for (const { findings, width } of many)
      for (const { name, side, mask, box } of findings) {
        expect(box.width * box.height).toBeGreaterThan(0);
        // A lead or a line ends at the heart or its great vein, near the middle.
        if (!side || findingOf(name).site !== 'lung') continue;
        let sum = 0;
        let count = 0;
        mask.forEach((v, i) => {
          if (v) {
            sum += (i % width) + 0.5;
            count++;
          }
        });
        expect(Math.sign(sum / count / width - 0.5)).toBe(side === 'left' ? 1 : -1);
      }
  });

  it('paints what it says: fluid, opacities, nodules and metal are brighter than the same lung without them, air is darker', () => {
    for (const finding of FINDINGS.filter(f => f.site !== 'heart')) {
      const [without, shown] = [[] as number[], [] as number[]];
      for (let i = 0; i < 12; i++) {
        const chest = drawChest({ width: 96, height: 96, findings: [finding.name], minFindings: 1, maxFindings: 1 }, stream.reader(1, i));
        const [{ mask }] = chest.findings;
        shown.push(meanWhere(chest.values, mask));
        // The mirror image of a lung is about what the lung looks like.
        const mirrored = mask.map((_, at) => mask[at - (at % 96) + 95 - (at % 96)]);
        without.push(meanWhere(chest.values, mirrored));
      }
      const difference = shown.reduce((a, b, i) => a + b - without[i], 0) / 12;
      if (finding.name === 'pneumothorax') expect(difference).toBeLessThan(-0.02);
      else expect(difference).toBeGreaterThan(0.03);
    }
  });

  it('makes an enlarged heart wider than half of the thorax, and a normal one not', () => {
    const widths = (findings: string[], count: number): number[] =>
      Array.from({ length: 8 }, (_, i) => {
        const chest = drawChest({ width: 96, height: 96, findings, minFindings: count, maxFindings: count }, stream.reader(2, i));
        return chest.findings[0]?.box.width ?? 0;
      });
    expect(Math.min(...widths(['cardiomegaly'], 1))).toBeGreaterThan(35);
  });

  it('reports every finding once, in words that the tokenizer has, and no absence of what is there', () => {
    for (const [i, chest] of many.entries()) {
      const sentences = reportSentences(chest.findings, stream.reader(9, i));
      expect(sentences.flatMap(s => s.finding ?? []).sort()).toEqual([...chest.findings.keys()]);
      for (const { text, finding } of sentences)
        if (finding === undefined) for (const f of chest.findings) expect(findingOf(f.name).absent).not.toContain(text);
      for (const word of reportText(sentences).match(/\w+|[^\w\s]/g)!) expect(CHEST_WORDS).toContain(word);
    }
    expect(placeIndex({ name: 'nodule', side: 'right', zone: 'upper' })).toBe(
      PLACES.findIndex(p => phraseOf(p.finding.name, p.place) === 'nodule in the right upper zone'),
    );
  });

  it('writes masks that are read back from CheXlocalize’s run lengths', () => {
    const counts = [5, 3, 100, 1, 2, 40, 7000, 2];
    expect(rleCounts(packCounts(counts))).toEqual(counts);
    const records = many
      .slice(0, 5)
      .map((chest, i) =>
        chestRecord(chest, reportSentences(chest.findings, stream.reader(9, i)), { file_name: `images/${i}.png`, seed: 3, sample: i }),
      );
    const files = truthFiles(
      records,
      many.slice(0, 5).map(c => c.findings.map(f => f.mask)),
    );
    const rle = JSON.parse(files['chexlocalize.json']) as Record<string, Record<string, { size: [number, number]; counts: string }>>;
    for (const [i, chest] of many.slice(0, 5).entries())
      for (const { name, mask } of chest.findings) {
        const label = findingOf(name).labels.chexlocalize!;
        const { size, counts: packed } = rle[String(i)][label];
        const union = decodeRle({ size, counts: rleCounts(packed) });
        expect(mask.every((v, at) => !v || union[at] === 1)).toBe(true);
      }
  });

  it('writes DICOM files that show the PNG’s picture to one grey level', async () => {
    const [chest] = many;
    const image = await decodeImage(dicomFile(chest.values, 96, 96, 77n));
    expect(image.reading).toMatchObject({ format: 'dicom', bits: 12, dicom: { modality: 'DX' } });
    const bytes = chestBytes(chest);
    for (let i = 0; i < bytes.length; i++) expect(Math.abs(image.data[3 * i] - bytes[i])).toBeLessThanOrEqual(1);
  });
});
