/** @file MS-CXR: COCO-like JSON, or the CSV made of it, with a phrase of the report per box. */
import { z } from 'zod';
import { readJson } from '../../../../checkpoints/disk.ts';
import { NarrowsError } from '../../../../system/errors.ts';
import { issueText } from '../../../../system/issue-text.ts';
import { readBox } from '../boxes.ts';
import { boxRows, rowNumbers } from './csv-rows.ts';
import { gathered, type TruthForm, type TruthRecord } from './form.ts';

const side = z.number().positive();
const schema = z.object({
  images: z.array(
    z.object({ id: z.number(), file_name: z.string(), path: z.string().optional(), width: side.optional(), height: side.optional() }),
  ),
  annotations: z.array(
    z.object({ image_id: z.number(), category_id: z.number(), bbox: z.array(z.number()), label_text: z.string().min(1) }),
  ),
  categories: z.array(z.object({ id: z.number(), name: z.string() })),
});

async function fromJson(file: string): Promise<TruthRecord[]> {
  const json = await readJson(file);
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new NarrowsError(`${file} is not in MS-CXR's form: ${issue.path.join('.')}: ${issueText(issue, json)}.`);
  }
  const { images, annotations, categories } = parsed.data;
  const pictures = new Map(images.map(image => [image.id, image]));
  const names = new Map(categories.map(category => [category.id, category.name]));
  return annotations.map((annotation, i) => {
    const where = `${file}, annotation ${i}`;
    const image = pictures.get(annotation.image_id);
    const label = names.get(annotation.category_id);
    if (!image) throw new NarrowsError(`${where}: there is no picture with the id ${annotation.image_id}.`);
    if (label === undefined) throw new NarrowsError(`${where}: there is no category with the id ${annotation.category_id}.`);
    const size = image.width && image.height ? { size: { width: image.width, height: image.height } } : {};
    return {
      image: image.path ?? image.file_name,
      label,
      phrase: annotation.label_text.trim(),
      boxes: [readBox(annotation.bbox, where)],
      ...size,
      where,
    };
  });
}

async function fromCsv(file: string): Promise<TruthRecord[]> {
  const rows = await boxRows(file, ['dicom_id', 'category_name', 'label_text', 'x', 'y', 'w', 'h']);
  return rows.map(row => {
    const { fields, where } = row;
    const box = rowNumbers(row, ['x', 'y', 'w', 'h']);
    if (!box) throw new NarrowsError(`${where}: the box is empty.`);
    const [width, height] = [Number(fields.image_width), Number(fields.image_height)];
    const size = width > 0 && height > 0 ? { size: { width, height } } : {};
    return {
      image: fields.path || fields.dicom_id,
      label: fields.category_name,
      phrase: fields.label_text,
      boxes: [readBox(box, where)],
      ...size,
      where,
    };
  });
}

/** The entry. */
export const msCxr: TruthForm = {
  name: 'ms-cxr',
  title: 'MS-CXR',
  reading: 'COCO-like JSON whose annotations have a bbox and a label_text (a phrase of the report), or the CSV made of it.',
  source: 'Boecking et al., ECCV 2022; PhysioNet ms-cxr (MS_CXR_Local_Alignment)',
  fits: ({ columns, json }) =>
    columns?.includes('label_text') ??
    (json as { annotations?: { label_text?: unknown }[] } | null)?.annotations?.[0]?.label_text !== undefined,
  async read(file) {
    const records = /\.csv$/i.test(file) ? await fromCsv(file) : await fromJson(file);
    return { records: gathered(records), none: [] };
  },
};
