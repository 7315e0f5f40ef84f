/**
 * @file The studio's examples (examples/studio) as the page shows them before a model is open: each picture with the frames of its gate and what
 * an upload of it would be called. Computed by the shipped model at every build, so that they are what the person then gets.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeImage, loadModel, M2IB } from '../src/index.ts';
import { writeFileAtomic } from '../src/node/files.ts';
import { sha256Hex } from '../src/system/sha256.ts';

const SOURCE = fileURLToPath(new URL('../examples/studio/', import.meta.url));
const METHOD = 'm2ib';
/** Runs until all frames were seen, at most. */
const MOST_RUNS = 12;

interface Listed {
  readonly id: string;
  readonly file: string;
  readonly caption: string;
}

/** Four significant digits: what an eye can tell apart. The real maps come from the model a moment later. */
const rough = (value: number): number => Number(value.toPrecision(4));

/** Writes `examples.json`, and per example its picture and its frames, into a directory. */
export async function writeExamples(directory: string): Promise<void> {
  const listed = JSON.parse(readFileSync(join(SOURCE, 'examples.json'), 'utf8')) as readonly Listed[];
  await using model = await loadModel('scene-clip');
  await using method = new M2IB(model);
  const index: object[] = [];
  for (const { id, file, caption } of listed) {
    const bytes = new Uint8Array(readFileSync(join(SOURCE, file)));
    const image = await decodeImage(bytes);
    const frames = new Map<string, object>();
    // Frames that come too fast are left out, others each time; each run gives the same values.
    for (let runs = 0; runs < MOST_RUNS && frames.size < 2 * method.options.steps; runs++)
      await method.attribute(
        { image, text: caption },
        {
          onFrame: ({ modality, seedIndex, step, steps, fit, compression, tokens, image: place, words }) =>
            frames.set(`${modality} ${String(step).padStart(4, '0')}`, {
              ...{ kind: 'frame', method: METHOD, modality, seed: seedIndex, step, steps, fit, compression, image: place },
              tokens: Array.from(tokens, rough),
              words: words?.map(({ text, start, end, value }) => ({ text, start, end, value: rough(value) })),
            }),
        },
      );
    const inOrder = [...frames.keys()].sort().map(key => frames.get(key));
    const picture = { id: sha256Hex(bytes), name: file, width: image.width, height: image.height, warnings: [] };
    await writeFileAtomic(join(directory, file), bytes);
    await writeFileAtomic(join(directory, `${id}.json`), JSON.stringify({ id, caption, picture, method: METHOD, frames: inOrder }));
    index.push({ id, caption, picture, file, frames: `${id}.json` });
  }
  await writeFileAtomic(join(directory, 'examples.json'), JSON.stringify(index));
}
