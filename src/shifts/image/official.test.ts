/** The image shifts against imagecorruptions: deterministic ones pixel by pixel, random ones by the statistics of many draws. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../inputs/image/decode.ts';
import { resizeImage } from '../../inputs/image/resize.ts';
import { shiftImage } from '../apply.ts';
import { imageShifts } from '../registry.ts';
import { toBytes, toFloat } from './primitives/float-image.ts';
import { motionSmooth } from './primitives/motion.ts';
import { waterLight } from './spatter.ts';

const path = (name: string): string => new URL(`../testdata/${name}`, import.meta.url).pathname;
interface Moments {
  readonly draws: number;
  readonly mean: readonly number[];
  readonly sd: readonly number[];
}
interface Official {
  readonly rows: readonly string[];
  readonly motion_angles_in_degrees: readonly number[];
  readonly statistics: {
    readonly names: readonly string[];
    readonly clean: readonly number[];
    readonly by_corruption: Readonly<Record<string, Moments>>;
  };
}
const official = JSON.parse(readFileSync(path('official/images.json'), 'utf8')) as Official;

describe.each(['wide', 'tall'])('%s: one picture, nine corruptions, five severities', name => {
  const MOTIONS = [
    [10, 3],
    [15, 5],
    [15, 8],
    [15, 12],
    [20, 15],
  ];
  // Cutting to bytes turns a last bit of float arithmetic into 1: in colours that go through HSV, and where weights of motion sum to a byte.
  const off: Record<string, number> = { zoom_blur: 0.001, brightness: 0.003, saturate: 0.04, motion_blur: 0.02 };
  it.each(official.rows)('%s', async corruption => {
    const image = await decodeImage(path(`official/${name}.png`));
    const sheet = await decodeImage(path(`official/${name}-corrupted.png`));
    const top = official.rows.indexOf(corruption) * image.height;
    const line = image.width * 3;
    for (let s = 0; s < 5; s++) {
      const got =
        corruption === 'motion_blur'
          ? toBytes(motionSmooth(toFloat(image), MOTIONS[s][0], MOTIONS[s][1], official.motion_angles_in_degrees[s]))
          : await shiftImage(corruption, image, s + 1);
      const differences = got.data.map((v, i) =>
        Math.abs(v - sheet.data[(top + Math.trunc(i / line)) * sheet.width * 3 + s * line + (i % line)]),
      );
      expect(Math.max(...differences), `severity ${s + 1}`).toBeLessThanOrEqual(1);
      expect(differences.filter(d => d > 0).length / differences.length, `severity ${s + 1}`).toBeLessThanOrEqual(off[corruption] ?? 0);
    }
  });
});

describe('a photograph under eleven random corruptions', async () => {
  const { names, clean, by_corruption } = official.statistics;
  const photo = resizeImage(
    await decodeImage(new URL('../../inputs/image/testdata/astronaut.png', import.meta.url).pathname),
    224,
    224,
    'box',
  );
  const SIDE = 224;
  const mean = (values: ArrayLike<number>): number => {
    let total = 0;
    for (let i = 0; i < values.length; i++) total += values[i];
    return total / values.length;
  };

  function statistics(data: Uint8Array): number[] {
    const size = SIDE * SIDE;
    const [sums, squares, ends] = [
      [0, 0, 0],
      [0, 0, 0],
      [0, 0],
    ];
    const greys = [new Float64Array(size), new Float64Array(size)];
    let error = 0;
    for (let i = 0; i < data.length; i++) {
      const v = data[i];
      sums[i % 3] += v;
      squares[i % 3] += v * v;
      error += (v - photo.data[i]) ** 2;
      if (v === 0) ends[0]++;
      if (v === 255) ends[1]++;
      greys[0][Math.trunc(i / 3)] += photo.data[i] / 3;
      greys[1][Math.trunc(i / 3)] += v / 3;
    }
    const [across, down] = [1, SIDE].map(far => {
      let total = 0;
      for (let i = 0; i + far < size; i++) if (far > 1 || i % SIDE < SIDE - 1) total += Math.abs(greys[1][i + far] - greys[1][i]);
      return total / (SIDE * (SIDE - 1));
    });
    const [a, b] = greys.map(mean);
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = 0; i < size; i++) {
      const [x, y] = [greys[0][i] - a, greys[1][i] - b];
      ab += x * y;
      aa += x * x;
      bb += y * y;
    }
    const psnr = error > 0 ? 10 * Math.log10(255 ** 2 / (error / data.length)) : 99;
    const deviations = squares.map((sum, c) => Math.sqrt(sum / size - (sums[c] / size) ** 2));
    const shares = ends.map(n => n / data.length);
    return [...sums.map(sum => sum / size), ...deviations, psnr, (across + down) / 2, ...shares, ab / Math.sqrt(aa * bb)];
  }

  it('the figures mean the same here', () => {
    statistics(photo.data).forEach((v, i) => void expect(v, names[i]).toBeCloseTo(clean[i], 3));
  });

  const kinds = [...new Set(Object.keys(by_corruption).map(key => key.split('/')[0]))];
  // frost with a texture of our own: no golden, but as much whiter, duller and rougher as the published photographs make a picture.
  it.each(kinds)('%s', async name => {
    const draws = 4;
    for (const severity of [1, 3, 5]) {
      const { mean: means, sd, draws: theirs } = by_corruption[`${name}/${severity}`];
      const ours: number[][] = [];
      for (let sample = 0; sample < draws; sample++)
        ours.push(statistics((await shiftImage(name, photo, severity, { seed: 11, sample })).data));
      names.forEach((figure, i) => {
        const allowed = 4.5 * sd[i] * Math.sqrt(1 / draws + 1 / theirs) + 1e-4 * Math.abs(means[i]) + 1e-4;
        const got = mean(ours.map(row => row[i]));
        expect(Math.abs(got - means[i]), `${figure} at severity ${severity}: ${got} for ${means[i]}`).toBeLessThan(allowed);
      });
    }
  });
  it('are eleven', () => void expect(kinds).toHaveLength(11));
});

it("spatter's light on water is OpenCV's, byte for byte", async () => {
  const [layers, water] = await Promise.all(
    ['spatter-layers.png', 'spatter-water.png'].map(async name => {
      const { width, height, data } = await decodeImage(path(name));
      return { width, height: height / 4, data: data.filter((_, i) => i % 3 === 0) };
    }),
  );
  const { width, height } = layers;
  for (let k = 0; k < 4; k++) {
    const part = (data: Uint8Array): Uint8Array => data.slice(k * width * height, (k + 1) * width * height);
    expect(waterLight({ width, height, data: part(layers.data) })).toEqual(part(water.data));
  }
});

it.each([
  [
    'spatter',
    "noise of mean 0.65, 0.65, 0.65, 0.65, 0.67 and deviation 0.3, 0.3, 0.3, 0.3, 0.4, smoothed with sigma 4, 3, 2, 1, 1 pixels; threshold 0.69, 0.68, 0.68, 0.65, 0.65; strength of the water 0.6, 0.6, 0.5; sigma of the mud's edge 1.5, 1.5",
  ],
  ['frost', 'picture x 1, 0.8, 0.7, 0.65, 0.6 + texture x 0.4, 0.6, 0.7, 0.7, 0.75'],
])('%s has the published constants', (name, constants) => {
  expect(imageShifts.find(s => s.name === name)?.constants).toBe(constants);
});
