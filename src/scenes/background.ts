/** @file Backgrounds of scenes: eight named colours with jitter, a linear gradient, and a faint texture. */
import type { RandomReader } from '../tensor/random.ts';

/** Named background colours and their mean RGB. */
export const BACKGROUND_COLORS = {
  red: [220, 60, 50],
  green: [80, 170, 80],
  blue: [70, 120, 210],
  yellow: [240, 210, 80],
  white: [244, 244, 244],
  black: [30, 30, 30],
  grey: [140, 140, 140],
  pink: [245, 165, 190],
} as const;
/** Name of a background colour. */
export type BackgroundColor = keyof typeof BACKGROUND_COLORS;
/** The names, in a fixed order. */
export const COLOR_NAMES = Object.keys(BACKGROUND_COLORS) as BackgroundColor[];

/** Kinds of faint pattern over the colour. */
export const TEXTURES = ['plain', 'noise', 'stripes', 'checker', 'dots'] as const;
/** Name of a texture. */
export type Texture = (typeof TEXTURES)[number];

/** The background of a scene. */
export interface Background {
  readonly color: BackgroundColor;
  /** Jittered base colour at the centre, 0–255, not rounded. */
  readonly rgb: readonly [number, number, number];
  readonly texture: Texture;
}

/** What a background is drawn into: `data` [height × width × 3]; `shade` [height × width] is scratch. */
interface Canvas {
  readonly data: Uint8Array;
  readonly shade: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Draws a background of a named colour into the canvas. */
export function drawBackground(
  { data, shade, width, height }: Canvas,
  reader: RandomReader,
  color: BackgroundColor,
  textures: readonly Texture[] = TEXTURES,
): Background {
  const mean = BACKGROUND_COLORS[color];
  const light = reader.uniform(-14, 14);
  const rgb = [0, 1, 2].map(c => mean[c] + light + reader.uniform(-12, 12)) as [number, number, number];
  const texture = reader.pick(textures);
  drawTexture(shade, width, height, texture, reader);
  // Gradient in grey levels from the centre to each edge.
  const gx = reader.uniform(-24, 24);
  const gy = reader.uniform(-24, 24);
  const [r, g, b] = rgb;
  for (let y = 0, i = 0, at = 0; y < height; y++) {
    let slope = gy * ((2 * y + 1) / height - 1) - gx + gx / width + 0.5;
    for (let x = 0; x < width; x++, i++, at += 3) {
      const level = slope + shade[i];
      slope += (2 * gx) / width;
      data[at] = clamp(r + level);
      data[at + 1] = clamp(g + level);
      data[at + 2] = clamp(b + level);
    }
  }
  return { color, rgb, texture };
}

const clamp = (v: number): number => (v < 0 ? 0 : v >= 255 ? 255 : v | 0);

/** Fills `shade` with a pattern in grey levels around zero. */
function drawTexture(shade: Float32Array, width: number, height: number, texture: Texture, reader: RandomReader): void {
  if (texture === 'plain') {
    shade.fill(0, 0, width * height);
    return;
  }
  const contrast = reader.uniform(4, 12);
  if (texture === 'noise') {
    drawNoise(shade, width, height, reader.pick([6, 10, 16]), contrast * 1.6, reader);
    return;
  }
  const period = 6 + 2 * reader.integer(9);
  const half = period / 2;
  const dx = reader.integer(period);
  const dy = reader.integer(period);
  const tilt = reader.integer(4);
  // Stripes: horizontal, vertical, and both diagonals.
  const sx = tilt === 0 ? 0 : 1;
  const sy = tilt === 0 ? 1 : tilt === 1 ? 0 : tilt === 2 ? 1 : period - 1;
  const radius = (period * 0.3) ** 2;
  for (let y = 0, i = 0; y < height; y++) {
    const py = (y + dy) % period;
    for (let x = 0; x < width; x++, i++) {
      const px = (x + dx) % period;
      let on: boolean;
      if (texture === 'stripes') on = (px * sx + py * sy) % period < half;
      else if (texture === 'checker') on = px < half !== py < half;
      else on = (px - half) * (px - half) + (py - half) * (py - half) < radius;
      shade[i] = on ? contrast : -contrast;
    }
  }
}

/** Value noise: uniform numbers on a lattice of `cell` pixels, interpolated linearly. */
function drawNoise(shade: Float32Array, width: number, height: number, cell: number, amplitude: number, reader: RandomReader): void {
  const columns = Math.ceil(width / cell) + 1;
  const rows = Math.ceil(height / cell) + 1;
  let above = new Float32Array(columns);
  let below = new Float32Array(columns);
  for (let c = 0; c < columns; c++) below[c] = reader.uniform(-amplitude, amplitude);
  for (let row = 0; row + 1 < rows; row++) {
    [above, below] = [below, above];
    for (let c = 0; c < columns; c++) below[c] = reader.uniform(-amplitude, amplitude);
    for (let y = row * cell; y < Math.min(height, (row + 1) * cell); y++) {
      const fy = (y - row * cell) / cell;
      let i = y * width;
      for (let c = 0; c + 1 < columns; c++) {
        let value = above[c] + (below[c] - above[c]) * fy;
        const next = above[c + 1] + (below[c + 1] - above[c + 1]) * fy;
        const step = (next - value) / cell;
        for (let x = c * cell; x < Math.min(width, (c + 1) * cell); x++) {
          shade[i++] = value;
          value += step;
        }
      }
    }
  }
}
