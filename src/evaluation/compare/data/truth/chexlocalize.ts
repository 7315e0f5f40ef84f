/** @file CheXlocalize: JSON of COCO run lengths per picture and class. */
import { z } from 'zod';
import { readJson } from '../../../../checkpoints/disk.ts';
import { decodeRle } from '../../../../scenes/rle.ts';
import { NarrowsError } from '../../../../system/errors.ts';
import { issueText } from '../../../../system/issue-text.ts';
import { rleCounts } from '../masks.ts';
import type { TruthForm, TruthRecord } from './form.ts';

const side = z.number().int().positive();
const schema = z.record(
  z.string(),
  z.record(z.string(), z.object({ size: z.tuple([side, side]), counts: z.union([z.string(), z.array(z.number())]) })),
);

/** The entry. Masks without a pixel, which the set has for classes that are absent, are left out. */
export const chexlocalize: TruthForm = {
  name: 'chexlocalize',
  title: 'CheXlocalize',
  reading:
    'JSON: picture, class, {"size": [height, width], "counts": COCO run lengths}; a mask of no pixels means that the class is absent.',
  source: 'Saporta et al., Nature Machine Intelligence 2022 (gt_segmentations_val.json, gt_segmentations_test.json)',
  fits({ json }) {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return false;
    const classes = Object.values(json).find(value => typeof value === 'object' && value !== null && Object.keys(value).length > 0);
    const [first] = Object.values((classes ?? {}) as Record<string, { counts?: unknown } | null>);
    return !Array.isArray(classes) && first?.counts !== undefined;
  },
  async read(file) {
    const json = await readJson(file);
    const parsed = schema.safeParse(json);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new NarrowsError(`${file} is not in CheXlocalize's form: ${issue.path.join(' / ')}: ${issueText(issue, json)}.`);
    }
    const none: string[] = [];
    const records = Object.entries(parsed.data).flatMap(([image, classes]): TruthRecord[] => {
      const found = Object.entries(classes).flatMap(([label, { size, counts }]): TruthRecord[] => {
        const where = `${file}, ${image} / ${label}`;
        const mask = { size, counts: typeof counts === 'string' ? rleCounts(counts) : counts };
        const total = mask.counts.reduce((sum, n) => sum + n, 0);
        if (total !== size[0] * size[1])
          throw new NarrowsError(`${where}: the run lengths add up to ${total} pixels, but the size is ${size.join(' x ')}.`);
        if (!decodeRle(mask).includes(1)) return [];
        return [{ image, label, boxes: [], mask, size: { width: size[1], height: size[0] }, where }];
      });
      if (found.length === 0) none.push(image);
      return found;
    });
    return { records, none };
  },
};
