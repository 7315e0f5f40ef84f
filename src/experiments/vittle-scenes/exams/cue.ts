/** @file The exam of the spurious cue: of every scene one thing that is there and one that is not, so that the cue is right once and wrong once. */
import { cuedExistence, cueSays } from '../../../scenes/cue.ts';
import { drawScene } from '../../../scenes/scene.ts';
import type { SceneWorld } from '../../../scenes/sprite-atlas.ts';
import { RandomStream } from '../../../tensor/random.ts';
import type { Draft, ExamItem } from './exam.ts';

/** @param size pixels of a side */
export function cueExam(world: SceneWorld, size: number, seed: number, scenes: number): Draft {
  const [drawn, asked] = [new RandomStream(seed, 'cue.scenes'), new RandomStream(seed, 'cue.questions')];
  const images: Uint8Array[] = [];
  const items: ExamItem[] = [];
  for (let i = 0; i < scenes; i++) {
    const scene = drawScene(world, { width: size, height: size }, drawn.reader(0, i));
    images.push(Uint8Array.from(scene.image.data));
    for (const share of [1, 0]) {
      const { task, question, answer } = cuedExistence(scene, asked.reader(share, i), share);
      items.push({ scene: i, task, question, answer, cue: answer === cueSays(scene) ? 'right' : 'wrong' });
    }
  }
  return { id: 'cue', group: 'cue', items, images };
}
