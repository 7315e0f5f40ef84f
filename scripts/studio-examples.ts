/**
 * @file The studio's examples (examples/studio) as the page shows them before a model is open: each picture with the frames of its gate and what
 * an upload of it would be called. Computed by the shipped model at every build, so that they are what the person then gets.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMethod, decodeImage, loadModel } from '../src/index.ts';
import { writeFileAtomic } from '../src/node/files.ts';
import { sha256Hex } from '../src/system/sha256.ts';

const SOURCE = fileURLToPath(new URL('../examples/studio/', import.meta.url));
const METHOD = 'm2ib';

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
  await using method = createMethod(METHOD, model);
  const index: object[] = [];
  for (const { id, file, caption } of listed) {
    const bytes = new Uint8Array(readFileSync(join(SOURCE, file)));
    const image = await decodeImage(bytes);
    const frames: object[] = [];
    // The first runs are slow, and a slow run leaves frames out.
    for (let warm = 0; warm < 3; warm++) await method.attribute({ image, text: caption }, { onFrame: () => {} });
    await method.attribute(
      { image, text: caption },
      {
        onFrame: ({ modality, seedIndex, step, steps, fit, compression, tokens, image: place, words }) =>
          frames.push({
            ...{ kind: 'frame', method: METHOD, modality, seed: seedIndex, step, steps, fit, compression, image: place },
            tokens: Array.from(tokens, rough),
            words: words?.map(({ text, start, end, value }) => ({ text, start, end, value: rough(value) })),
          }),
      },
    );
    const picture = { id: sha256Hex(bytes), name: file, width: image.width, height: image.height, warnings: [] };
    await writeFileAtomic(join(directory, file), bytes);
    await writeFileAtomic(join(directory, `${id}.json`), JSON.stringify({ id, caption, picture, method: METHOD, frames }));
    index.push({ id, caption, picture: picture.id, file, frames: `${id}.json` });
  }
  await writeFileAtomic(join(directory, 'examples.json'), JSON.stringify(index));
}
