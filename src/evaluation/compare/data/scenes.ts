/**
 * @file Scenes as a source. Images: two to four things, the caption names one of them, and the truth is what can be seen of it. Captions:
 * one or two things, the caption names one that is there and one that is not, of as many words, in random order.
 */
import { nameCaption } from '../../../scenes/captions.ts';
import { CONCEPTS } from '../../../scenes/concepts.ts';
import { drawScene } from '../../../scenes/scene.ts';
import { type SceneWorld, STYLES, type Style, TEST_STYLES, TRAIN_STYLES } from '../../../scenes/sprite-atlas.ts';
import { loadSprites } from '../../../scenes/sprites.ts';
import { NarrowsError } from '../../../system/errors.ts';
import { RandomStream } from '../../../tensor/random.ts';
import type { CompareSample, DataSpec, SampleSource, StyleGroup } from './sample.ts';

/** Share of a thing that must be seen for the caption to name it. */
const SEEN = 0.6;
/** Redrawn scenes have cells of their own. */
const TRIES = 100;

/**
 * Groups of art sets: `trained` and `unseen` stand for the sets that the shipped model knows and does not know; others for themselves.
 * @throws NarrowsError for a name that is none of them
 */
export function styleGroups(names: readonly string[]): StyleGroup[] {
  return names.map(name => {
    if (name === 'trained') return { name, styles: TRAIN_STYLES };
    if (name === 'unseen') return { name, styles: TEST_STYLES };
    if ((STYLES as readonly string[]).includes(name)) return { name, styles: [name as Style] };
    throw new NarrowsError(`There is no style "${name}"; give trained, unseen, or some of ${STYLES.join(', ')}.`, { kind: 'usage' });
  });
}

/** Opens scenes. Scene i of every group is drawn from the same random cell: layouts agree, art does not. */
export async function openScenes(spec: Extract<DataSpec, { kind: 'scenes' }>): Promise<SampleSource> {
  const world = await loadSprites({ styles: [...new Set(spec.groups.flatMap(g => g.styles))] });
  const names = spec.groups.flatMap(group =>
    spec.modalities.flatMap(modality =>
      Array.from({ length: spec.samples }, (_, i) => ({
        id: `${group.name}/${modality}/${i}`,
        group: group.name,
        modality,
        cell: i,
        of: group,
      })),
    ),
  );
  return {
    description: `scenes drawn by Narrows (seed ${spec.seed})`,
    names: names.map(({ id, group, modality }) => ({ id, group, modality })),
    async read(index) {
      const { id, group, modality, cell, of } = names[index];
      const draw = modality === 'image' ? imageSample : textSample;
      return { id, group, modality, ...draw(world, of.styles, spec.seed, cell) };
    },
  };
}

type Drawn = Pick<CompareSample, 'pair' | 'truth' | 'named'>;

function imageSample(world: SceneWorld, styles: readonly Style[], seed: number, cell: number): Drawn {
  const stream = new RandomStream(seed, 'compare.image.scenes');
  const choices = new RandomStream(seed, 'compare.image.choices');
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const scene = drawScene(world, { minObjects: 2, maxObjects: 4, styles }, stream.reader(attempt, cell));
    const seen = scene.objects.filter(o => o.visible > SEEN);
    if (seen.length === 0) continue;
    const named = choices.reader(attempt, cell).pick(seen);
    const owner = scene.objects.indexOf(named);
    return {
      pair: { image: scene.image, text: nameCaption(named.concept) },
      truth: { width: scene.width, height: scene.height, data: Uint8Array.from(scene.owners, o => (o === owner ? 1 : 0)) },
    };
  }
  throw new NarrowsError(`No scene of seed ${seed}, cell ${cell} shows a thing to more than ${SEEN}; choose another seed.`);
}

function textSample(world: SceneWorld, styles: readonly Style[], seed: number, cell: number): Drawn {
  const scene = drawScene(world, { minObjects: 1, maxObjects: 2, styles }, new RandomStream(seed, 'compare.text.scenes').reader(0, cell));
  const reader = new RandomStream(seed, 'compare.text.choices').reader(0, cell);
  const here = reader.pick(scene.objects).concept;
  const words = (concept: number): number => CONCEPTS[concept].name.split(' ').length;
  const present = new Set(scene.objects.map(o => o.concept));
  let absent = reader.integer(CONCEPTS.length);
  while (present.has(absent) || words(absent) !== words(here)) absent = reader.integer(CONCEPTS.length);
  const said = nameCaption(here);
  const first = reader.uniform() < 0.5;
  const other = nameCaption(absent);
  const text = first ? `${said} and ${other}` : `${other} and ${said}`;
  const end = first ? said.length : text.length;
  // The article belongs to neither name.
  return { pair: { image: scene.image, text }, named: [[end - CONCEPTS[here].name.length, end]] };
}
