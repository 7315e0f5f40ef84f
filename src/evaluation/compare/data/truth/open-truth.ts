/** @file Boxes of a public set of radiographs as a source of a comparison: a pair per phrase, whose truth is the union of its boxes. */
import { decodeImage } from '../../../../inputs/image/decode.ts';
import { dirname } from '../../../../node/paths.ts';
import { NarrowsError } from '../../../../system/errors.ts';
import { RandomStream } from '../../../../tensor/random.ts';
import type { PixelSize } from '../boxes.ts';
import { pictureSize } from '../picture-size.ts';
import type { DataSpec, SampleSource } from '../sample.ts';
import { PictureFinder } from './find-picture.ts';
import { truthForm } from './registry.ts';
import { checkFits, truthMask } from './truth-mask.ts';

/** Every record is checked before anything is computed. @throws NarrowsError naming file and place */
export async function openTruth(spec: Extract<DataSpec, { kind: 'truth' }>): Promise<SampleSource> {
  const { file, template } = spec;
  if (!template.includes('{}'))
    throw new NarrowsError(`The template ${JSON.stringify(template)} has no {} for the class's name.`, { kind: 'usage' });
  if (spec.modalities.includes('text'))
    throw new NarrowsError(`${file} says where findings are in pictures, not which words name them; give --modality image.`, {
      kind: 'usage',
    });
  const form = await truthForm(file, spec.form);
  const { records } = await form.read(file);
  if (records.length === 0) throw new NarrowsError(`${file} has no finding with a place.`);
  for (const record of records) if (record.size) checkFits(record, record.size);
  const finder = new PictureFinder(spec.images ?? dirname(file));
  const chosen = new RandomStream(spec.seed, 'compare.truth').reader(0, 0).shuffle(records).slice(0, spec.samples);
  // Before anything is computed: a picture that cannot be read would end a long run in its middle.
  const pictures = new Map<string, { readonly path: string; readonly size: PixelSize }>();
  for (const record of chosen) {
    const { image, where } = record;
    let picture = pictures.get(image);
    if (!picture) {
      const path = await finder.find(image, where);
      picture = { path, size: await pictureSize(path, where, spec.pictures) };
      pictures.set(image, picture);
    }
    checkFits(record, picture.size);
  }
  const names = chosen.map(record => ({
    id: `${record.image}/${record.phrase ?? record.label}`,
    group: 'data',
    modality: 'image' as const,
  }));
  return {
    description: `${file} (${form.title})`,
    names,
    async read(index) {
      const record = chosen[index];
      const image = await decodeImage(pictures.get(record.image)!.path, spec.pictures);
      const pair = { image, text: record.phrase ?? template.replaceAll('{}', record.label.toLowerCase()), imageName: record.image };
      return { ...names[index], pair, truth: truthMask(record, image), further: { category: record.label } };
    },
  };
}
