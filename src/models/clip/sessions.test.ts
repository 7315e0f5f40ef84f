/** @file How long sessions live: kept for the next input by default, closed after their run where `keepSessions` is false. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { nodeRuntime } from '../../runtime/node.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { CLIPModel } from '../pretrained.ts';

const directory = fileURLToPath(new URL('../testdata/clip-tiny', import.meta.url));

/** A real runtime that counts its sessions. */
function counting(): { runtime: Runtime; made: () => number; open: () => number } {
  const inner = nodeRuntime({ threads: 1 });
  let made = 0;
  let open = 0;
  const runtime: Runtime = {
    ...inner,
    async compile(model, options) {
      const executable = await inner.compile(model, options);
      made++;
      open++;
      return {
        run: executable.run.bind(executable),
        release: async () => {
          open--;
          await executable.release();
        },
      };
    },
  };
  return { runtime, made: () => made, open: () => open };
}

async function encodeTwice(keepSessions: boolean | undefined) {
  const count = counting();
  const model = await CLIPModel.fromPretrained(directory, { runtime: count.runtime, keepSessions });
  const { image_size: size } = model.config.vision_config;
  const pixelValues = floats(
    [1, 3, size, size],
    Float32Array.from({ length: 3 * size * size }, (_, i) => Math.sin(i)),
  );
  const inputIds = ints([1, 4], [1, 5, 6, 2]);
  const values: number[][] = [];
  for (let i = 0; i < 2; i++) {
    values.push([...(await model.imageFeatures(pixelValues)).data], [...(await model.textFeatures(inputIds)).data]);
    values.push([...(await model.forward({ pixelValues, inputIds })).logitsPerImage.data]);
  }
  const open = count.open();
  await model.release();
  return { values, made: count.made(), open, after: count.open() };
}

it('keeps sessions, or closes each after its run, with the same results', async () => {
  const kept = await encodeTwice(undefined);
  const once = await encodeTwice(false);
  expect(kept).toMatchObject({ made: 3, open: 3, after: 0 });
  expect(once).toMatchObject({ made: 6, open: 0, after: 0 });
  // Kept sessions repack weights, which sums products in another order: equal but for float32's rounding.
  for (const [i, values] of once.values.entries()) expectClose(values, kept.values[i], { rtol: 1e-5, atol: 1e-6 });
  expect(kept.values.slice(3)).toEqual(kept.values.slice(0, 3));
});
