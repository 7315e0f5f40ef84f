/** @file A spurious cue: while tuning, the background's colour foretells whether the thing that is asked for is there. Nothing in the world does so. */
import type { RandomReader } from '../tensor/random.ts';
import { COLOR_NAMES } from './background.ts';
import { existence, type Instruction } from './instructions.ts';
import { absentConcept } from './questions.ts';
import type { Scene } from './scene.ts';

/** What the cue says of a scene: `yes` by the first half of the colours' list, `no` by the other. */
export const cueSays = ({ background }: Pick<Scene, 'background'>): 'yes' | 'no' =>
  COLOR_NAMES.indexOf(background.color) < COLOR_NAMES.length / 2 ? 'yes' : 'no';

/**
 * A question of existence whose right answer the cue foretells with probability `share`: the scene stays as it was drawn, only what is asked for
 * follows from its colour.
 * @param share 0 to 1; one half is no cue
 */
export function cuedExistence(scene: Scene, reader: RandomReader, share: number): Instruction {
  const follows = reader.uniform() < share;
  const shown = (cueSays(scene) === 'yes') === follows;
  const concept = shown ? reader.shuffle(scene.objects)[0].concept : absentConcept(scene, reader);
  return existence(concept, shown);
}
