/**
 * @file What a small LLaVA of the scenes lists when it is asked "what is in the picture ?": greedy answers on fresh scenes of two to four things, held
 * against the things that are there, in whatever order. Control: as many names as the model says, of things drawn by chance.
 * usage: node --import tsx bench/evidence/scene-lists.ts [--model REF] [--scenes N]
 */
import { parseArgs } from 'node:util';
import { ChatSession } from '../../src/generation/chat-session.ts';
import { ChatModel } from '../../src/generation/pretrained.ts';
import { CONCEPTS } from '../../src/scenes/concepts.ts';
import { drawScene } from '../../src/scenes/scene.ts';
import { TRAIN_STYLES } from '../../src/scenes/sprite-atlas.ts';
import { loadSprites } from '../../src/scenes/sprites.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { clusterBootstrap } from '../../src/tensor/statistics/cluster-bootstrap.ts';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'scene-llava' },
    scenes: { type: 'string', default: '500' },
    seed: { type: 'string', default: '20261126' },
  },
});
const seed = Number(flags.seed);
const world = await loadSprites({ styles: TRAIN_STYLES });
const drawn = new RandomStream(seed, 'lists.scenes');
const chance = new RandomStream(seed, 'lists.chance').reader(0, 0);
const random = new RandomStream(seed, 'evidence.bootstrap');

/** How many of the said are there, each thing once. */
function found(said: readonly string[], things: readonly string[]): number {
  const left = [...things];
  return said.filter(name => {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  }).length;
}

/** Values of a figure, with the scenes that they are of. */
class Figure {
  readonly values: number[] = [];
  readonly scenes: number[] = [];
  /** So many of so many things of a scene. */
  add(scene: number, right: number, of: number): void {
    for (let i = 0; i < of; i++) {
      this.values.push(i < right ? 1 : 0);
      this.scenes.push(scene);
    }
  }
  toString(): string {
    const { estimate, low, high } = clusterBootstrap(this.values, this.scenes, { random });
    return `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  }
}

await using chat = await ChatModel.open(flags.model);
const session = new ChatSession(chat);
const [recall, precision, whole, control, twice] = Array.from({ length: 5 }, () => new Figure());
for (let i = 0; i < Number(flags.scenes); i++) {
  const scene = drawScene(world, { width: 96, height: 96, minObjects: 2 }, drawn.reader(0, i));
  const things = scene.objects.map(o => CONCEPTS[o.concept].name);
  session.restart([{ width: 96, height: 96, data: Uint8Array.from(scene.image.data) }]);
  let text = '';
  for await (const piece of session.ask('what is in the picture ?', { maxNewTokens: 48 })) text += piece;
  const said = text
    .trim()
    .split(' and ')
    .map(name => name.replace(/^(a|an|some) /, ''));
  const right = found(said, things);
  recall.add(i, right, things.length);
  precision.add(i, right, said.length);
  whole.add(i, Number(right === things.length && right === said.length), 1);
  twice.add(i, said.length - new Set(said).size, said.length);
  const guesses = said.map(() => CONCEPTS[chance.integer(CONCEPTS.length)].name);
  control.add(i, found(guesses, things), things.length);
}
console.log('| things that are named | names that are right | lists without a fault | names said again | control: names by chance |');
console.log('|---|---|---|---|---|');
console.log(`| ${[recall, precision, whole, twice, control].join(' | ')} |`);
console.log(`\n${flags.scenes} fresh scenes of two to four things (seed ${seed}); 95 % bootstrap intervals over scenes.`);
