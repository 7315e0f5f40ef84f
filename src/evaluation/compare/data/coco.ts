/**
 * @file COCO-format annotations as a source: one pair per picture and category. The caption names the category through a template, the truth
 * is the union of its annotations (segmentation where given, else the box). Captions' samples also name a category that is not in the picture.
 */

import { z } from 'zod';
import { readJson } from '../../../checkpoints/disk.ts';
import { decodeImage } from '../../../inputs/image/decode.ts';
import { dirname, isAbsolute, join } from '../../../node/paths.ts';
import { decodeRle } from '../../../scenes/rle.ts';
import { NarrowsError } from '../../../system/errors.ts';
import { RandomStream } from '../../../tensor/random.ts';
import { checkInside, readBox } from './boxes.ts';
import { addMask, emptyMask, fillBox, fillPolygon, rleCounts } from './masks.ts';
import type { CompareSample, DataSpec, Mask, SampleSource } from './sample.ts';

/** x and y by turns, of at least three points. */
const polygon = z
  .array(z.number())
  .refine(list => list.length >= 6 && list.length % 2 === 0, 'a polygon is x and y by turns, of at least three points');

const fileSchema = z.object({
  images: z.array(z.object({ id: z.number(), file_name: z.string(), width: z.number().optional(), height: z.number().optional() })),
  annotations: z.array(
    z.object({
      id: z.number().optional(),
      image_id: z.number(),
      category_id: z.number(),
      bbox: z.array(z.number()).optional(),
      segmentation: z
        .union([
          z.array(polygon),
          z.object({ size: z.tuple([z.number(), z.number()]), counts: z.union([z.string(), z.array(z.number().int().nonnegative())]) }),
        ])
        .optional(),
    }),
  ),
  categories: z.array(z.object({ id: z.number(), name: z.string() })),
});
type File = z.infer<typeof fileSchema>;
type Annotation = File['annotations'][number];

interface Job {
  readonly image: File['images'][number];
  readonly category: File['categories'][number];
  readonly annotations: readonly Annotation[];
  readonly modality: CompareSample['modality'];
}

/** @throws NarrowsError for a file of another form, annotations of unknown pictures or categories, or a template without {} */
export async function openCoco(spec: Extract<DataSpec, { kind: 'coco' }>): Promise<SampleSource> {
  const { file, template } = spec;
  if (!template.includes('{}'))
    throw new NarrowsError(`The template ${JSON.stringify(template)} has no {} for the category's name.`, { kind: 'usage' });
  const json = await readJson(file);
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) throw new NarrowsError(`${file} is not in COCO's format: ${firstIssue(parsed.error.issues, json)}.`);
  const jobs = pairsOf(parsed.data, file);
  const chosen = new RandomStream(spec.seed, 'compare.coco').reader(0, 0).shuffle(jobs).slice(0, spec.samples);
  const listed: Job[] = spec.modalities.flatMap(modality => chosen.map(job => ({ ...job, modality })));
  const folder = spec.images ?? dirname(file);
  return {
    description: `${file} (COCO format)`,
    names: listed.map(({ image, category, modality }) => ({ id: `${image.id}/${category.name}/${modality}`, group: 'data', modality })),
    read: async index => read(listed[index], parsed.data, spec, folder),
  };
}

/** The first thing that is wrong, with the annotation's id where it is in one. */
function firstIssue(issues: readonly z.core.$ZodIssue[], json: unknown): string {
  let [issue] = issues;
  let path = [...issue.path];
  // Of the forms that a segmentation may have, what is wrong with the one that it comes nearest to.
  while (issue.code === 'invalid_union') {
    const deepest = issue.errors.flat().toSorted((a, b) => b.path.length - a.path.length)[0];
    if (!deepest) break;
    issue = deepest;
    path = [...path, ...issue.path];
  }
  const [list, index] = path;
  const id =
    list === 'annotations' && typeof index === 'number' ? (json as { annotations: { id?: number }[] }).annotations[index]?.id : undefined;
  return `${path.join('.')}${id === undefined ? '' : ` (annotation ${id})`}: ${issue.message.replace(/\.$/, '')}`;
}

function pairsOf(data: File, file: string): Omit<Job, 'modality'>[] {
  const images = new Map(data.images.map(image => [image.id, image]));
  const categories = new Map(data.categories.map(category => [category.id, category]));
  const groups = new Map<string, Annotation[]>();
  for (const [i, annotation] of data.annotations.entries()) {
    const where = `${file}, annotation ${annotation.id ?? i}`;
    const image = images.get(annotation.image_id);
    if (!image) throw new NarrowsError(`${where}: there is no picture with the id ${annotation.image_id}.`);
    if (!categories.has(annotation.category_id))
      throw new NarrowsError(`${where}: there is no category with the id ${annotation.category_id}.`);
    if (!annotation.bbox && !hasShape(annotation.segmentation)) throw new NarrowsError(`${where} has neither a bbox nor a segmentation.`);
    if (annotation.bbox) {
      const box = readBox(annotation.bbox, where);
      if (image.width && image.height) checkInside(box, { width: image.width, height: image.height }, where);
    }
    const key = `${annotation.image_id}:${annotation.category_id}`;
    groups.set(key, [...(groups.get(key) ?? []), annotation]);
  }
  if (groups.size === 0) throw new NarrowsError(`${file} has no annotations.`);
  return [...groups.values()].map(annotations => ({
    image: images.get(annotations[0].image_id)!,
    category: categories.get(annotations[0].category_id)!,
    annotations,
  }));
}

async function read(job: Job, data: File, spec: Extract<DataSpec, { kind: 'coco' }>, folder: string): Promise<CompareSample> {
  const { image, category, annotations, modality } = job;
  const path = isAbsolute(image.file_name) ? image.file_name : join(folder, image.file_name);
  const picture = await decodeImage(path, spec.pictures);
  if ((image.width && image.width !== picture.width) || (image.height && image.height !== picture.height))
    throw new NarrowsError(
      `${spec.file}: ${path} is ${picture.width} x ${picture.height} pixels, but the file says ${image.width} x ${image.height}.`,
    );
  const id = `${image.id}/${category.name}/${modality}`;
  const named = { imageName: image.file_name, image: picture };
  if (modality === 'image') {
    const truth = emptyMask(picture.width, picture.height);
    for (const annotation of annotations) draw(truth, annotation, spec.file);
    return { id, group: 'data', modality, pair: { ...named, text: spec.template.replaceAll('{}', category.name) }, truth };
  }
  const reader = new RandomStream(spec.seed, 'compare.coco.captions').reader(category.id, image.id);
  const present = new Set(data.annotations.filter(a => a.image_id === image.id).map(a => a.category_id));
  const words = (name: string): number => name.split(' ').length;
  const absent = data.categories.filter(c => !present.has(c.id));
  const alike = absent.filter(c => words(c.name) === words(category.name));
  if (absent.length === 0)
    throw new NarrowsError(
      `${spec.file}: picture ${image.id} shows every category, so no caption can name one that is absent; use --modality image.`,
    );
  const other = reader.pick(alike.length ? alike : absent).name;
  const first = reader.uniform() < 0.5;
  const [before, after] = spec.template.split('{}');
  const said = first ? `${category.name} and ${other}` : `${other} and ${category.name}`;
  const start = before.length + (first ? 0 : other.length + ' and '.length);
  return {
    id,
    group: 'data',
    modality,
    pair: { ...named, text: before + said + after },
    named: [[start, start + category.name.length]],
  };
}

const hasShape = (shape: Annotation['segmentation']): shape is NonNullable<Annotation['segmentation']> =>
  shape !== undefined && !(Array.isArray(shape) && shape.length === 0);

function draw(mask: Mask, { segmentation, bbox, id }: Annotation, file: string): void {
  if (!hasShape(segmentation)) {
    fillBox(mask, bbox!);
    return;
  }
  if (Array.isArray(segmentation)) {
    for (const polygon of segmentation) fillPolygon(mask, polygon);
    return;
  }
  const { size, counts } = segmentation;
  if (size[0] !== mask.height || size[1] !== mask.width)
    throw new NarrowsError(
      `${file}, annotation ${id}: the mask is ${size[1]} x ${size[0]} pixels, but the picture is ${mask.width} x ${mask.height}.`,
    );
  addMask(mask, decodeRle({ size, counts: typeof counts === 'string' ? rleCounts(counts) : counts }));
}
