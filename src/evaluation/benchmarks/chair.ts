/** @file CHAIR: descriptions of COCO's pictures, held against the things that people marked or named there. */
import { parseJson } from '../../checkpoints/config.ts';
import { readText } from '../../inputs/text-file.ts';
import { basename } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { Mentions } from '../scorers/chair/mentions.ts';
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { Pictures } from './loading/picture.ts';
import { filesNamed, nameOf, nothingOf, openPlace } from './loading/place.ts';
import { OPEN_PROMPTS } from './loading/prompts.ts';
import { QuestionList } from './loading/question-list.ts';
import type { QuestionSet } from './question.ts';

const QUESTION = 'Please describe this image in detail.';

interface Instances {
  readonly images: readonly { readonly id: number; readonly file_name: string }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly annotations: readonly { readonly image_id: number; readonly category_id: number }[];
}
interface Captions {
  readonly annotations: readonly { readonly image_id: number; readonly caption: string }[];
}

async function readJson<T extends object>(file: string, keys: readonly string[]): Promise<T> {
  const value = parseJson(await readText(file), file);
  const missing = keys.find(key => !Array.isArray((value as Record<string, unknown> | null)?.[key]));
  if (missing) throw new NarrowsError(`${file} has no list "${missing}"; give the annotations of COCO as they are published.`);
  return value as T;
}

/** Each thing with the words for it: a line of the file names a thing first, then other words, parted by commas. */
const wordsOf = (text: string): Record<string, readonly string[]> =>
  Object.fromEntries(
    text
      .split('\n')
      .map(line =>
        line
          .split(',')
          .map(word => word.trim().toLowerCase())
          .filter(word => word !== ''),
      )
      .filter(words => words.length > 0)
      .map(words => [words[0], words]),
  );

async function load(options: LoadOptions): Promise<QuestionSet> {
  const place = await openPlace(chair, options);
  const year = options.split ?? '';
  const [instancesFile] = filesNamed(place, /^instances_.*\.json$/i).filter(file => basename(file).includes(year || 'val'));
  const [captionsFile] = filesNamed(place, /^captions_.*\.json$/i).filter(file => basename(file).includes(year || 'val'));
  const [synonymsFile] = filesNamed(place, /^synonyms\.txt$/i);
  if (!instancesFile) throw nothingOf(chair, place);
  const list = new QuestionList('CHAIR', options);
  const pictures = new Pictures(place, options, ['val2014', 'val2017', 'images/val2014']);
  const { images, categories, annotations } = await readJson<Instances>(instancesFile, ['images', 'categories', 'annotations']);
  const nameOfCategory = new Map(categories.map(({ id, name }) => [id, name.toLowerCase()]));
  const names = Object.fromEntries([...nameOfCategory.values()].map(name => [name, [name]]));
  const synonyms = synonymsFile ? { ...names, ...wordsOf(await readText(synonymsFile)) } : names;
  if (!synonymsFile)
    list.warn(`${nameOf(place)} has no synonyms.txt: things are known by the names of COCO's categories only, so that "man" is no person.`);
  const objects = new Map<number, Set<string>>(images.map(({ id }) => [id, new Set<string>()]));
  for (const { image_id, category_id } of annotations) {
    const name = nameOfCategory.get(category_id);
    if (name !== undefined) objects.get(image_id)?.add(name);
  }
  const captions = new Map<number, string[]>();
  if (captionsFile)
    for (const { image_id, caption } of (await readJson<Captions>(captionsFile, ['annotations'])).annotations)
      if (objects.has(image_id)) captions.set(image_id, [...(captions.get(image_id) ?? []), caption]);
  if (!captionsFile) list.warn(`${nameOf(place)} has no captions_*.json: only things with a box count as being there.`);
  const mentions = new Mentions(synonyms);
  for (const [i, { id, file_name }] of images.entries()) {
    if (list.full) break;
    options.signal?.throwIfAborted();
    const where = `${instancesFile}, image ${i + 1}`;
    const said = captions.get(id) ?? [];
    // Found by the scorer's own rule, so that a thing is known by the same words in captions and answers.
    const there = new Set([...(objects.get(id) ?? []), ...said.flatMap(one => mentions.in(one))]);
    const picture = pictures.file(file_name, { values: {}, where, file: instancesFile });
    list.add({
      id,
      kind: 'open',
      text: QUESTION,
      pictures: [picture],
      answers: [],
      facts: { image: file_name, objects: [...there].sort(), captions: said, synonyms },
      where,
    });
  }
  return list.finish(nameOf(place));
}

/** CHAIR. */
export const chair: Benchmark = {
  name: 'chair',
  title: 'CHAIR',
  summary: "Descriptions of COCO's pictures: which of the things that they name are not there",
  kind: 'open',
  licence: 'CC BY 4.0 (annotations of COCO); pictures under their own licences',
  source:
    'annotations of COCO val2014 (instances and captions) and its pictures from the authors; synonyms.txt from the repository of CHAIR, where it is wanted',
  format:
    'instances_val2014.json, captions_val2014.json, the pictures (val2014/), and synonyms.txt: a thing and its synonyms in each line, parted by commas',
  size: '40 504 pictures of val2014 (papers take 500 or 5 000: --limit)',
  citation: 'Rohrbach et al., Object Hallucination in Image Captioning, EMNLP 2018, arXiv 1809.02156',
  scorers: ['chair'],
  prompts: OPEN_PROMPTS,
  maxNewTokens: 512,
  load,
};
