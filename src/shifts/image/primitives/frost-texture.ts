/** @file A texture of frost on glass, drawn by a procedure of our own: a cloud, and feathers of ice that branch at 60°. No photograph. */
import type { RandomReader } from '../../../tensor/random.ts';
import type { FloatImage } from './float-image.ts';
import { gaussianSmooth } from './gaussian.ts';
import { plasmaFractal } from './plasma.ts';

/** Exponents that turn a shade into red, green and blue: dark ice is blue, thick ice white. Fitted to the published textures' means. */
const TINT = [1.35, 0.93, 0.8] as const;
/** A feather for so many square units of 16 x 16. */
const AREA = 5;
const UNIT = 16;

interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly data: Float64Array;
}

/** A needle of ice as a line that fades to its tip; brighter lines win. */
function needle({ width, height, data }: Sheet, x: number, y: number, along: readonly [number, number], light: number): void {
  const [dx, dy] = along;
  const steps = Math.max(1, Math.ceil(Math.hypot(dx, dy) * 1.5));
  for (let i = 0; i <= steps; i++) {
    const px = Math.round(x + (dx * i) / steps);
    const py = Math.round(y + (dy * i) / steps);
    if (px < 0 || py < 0 || px >= width || py >= height) continue;
    const value = light * (1 - (0.7 * i) / steps);
    if (value > data[py * width + px]) data[py * width + px] = value;
  }
}

const turned = (angle: number, length: number): [number, number] => [Math.cos(angle) * length, Math.sin(angle) * length];

/** A stem with needles to both sides, shorter towards the tip. @param unit pixels of a sixteenth of the published size */
function feather(sheet: Sheet, unit: number, reader: RandomReader): void {
  const [x, y] = [reader.uniform(0, sheet.width), reader.uniform(0, sheet.height)];
  const angle = reader.uniform(0, 2 * Math.PI);
  const length = unit * reader.uniform(2, 7);
  const light = reader.uniform(0.4, 1);
  needle(sheet, x, y, turned(angle, length), light);
  const spacing = Math.max(1.5, unit / 4);
  for (let at = spacing; at < length; at += spacing) {
    const [fx, fy] = turned(angle, at);
    for (const side of [-1, 1]) {
      const reach = 0.5 * (length - at) * reader.uniform(0.6, 1);
      needle(sheet, x + fx, y + fy, turned(angle + (side * Math.PI) / 3, reach), light * 0.8);
    }
  }
}

/**
 * Frost of a size of its own thickness: its mean shade is drawn from 0.35 to 0.85, its pattern stays within about a tenth of that.
 * @param scale what the crystals' lengths are multiplied by; 1 for pictures of about 224 pixels
 * @returns three channels in [0, 1]
 */
export function frostTexture(width: number, height: number, scale: number, reader: RandomReader): FloatImage {
  const shade = reader.uniform(0.35, 0.85);
  const unit = UNIT * scale;
  const size = 2 ** Math.ceil(Math.log2(Math.max(width, height, 2)));
  const cloud = plasmaFractal(size, 1.8, reader);
  const sheet: Sheet = { width, height, data: new Float64Array(width * height) };
  const feathers = Math.ceil((width * height) / (AREA * unit * unit)) + 2;
  for (let i = 0; i < feathers; i++) feather(sheet, unit, reader);
  const ice = gaussianSmooth({ ...sheet, channels: 1 }, 0.6).data;
  const mean = ice.reduce((a, b) => a + b, 0) / ice.length;
  const data = new Float64Array(width * height * 3);
  for (let i = 0; i < ice.length; i++) {
    const drift = cloud[Math.trunc(i / width) * size + (i % width)] - 0.5;
    const value = Math.min(1, Math.max(0, shade + 0.38 * drift + 0.42 * (ice[i] - mean)));
    for (let c = 0; c < 3; c++) data[i * 3 + c] = value ** TINT[c];
  }
  return { width, height, channels: 3, data };
}
