/** @file The picture of a chest without findings: brightness per pixel, and where lungs and heart are. */
import type { RandomReader } from '../../tensor/random.ts';
import { type Body, bump, heartDepth, lungDepth, smooth, wall } from './body.ts';

/** A film in work. */
export interface Film {
  readonly width: number;
  readonly height: number;
  readonly body: Body;
  /** Brightness [height × width]: 0 is black (air), 1 white (metal). */
  readonly values: Float32Array;
  /** Depth inside of the nearer lung [height × width], below 0 outside; in units of the picture's side. */
  readonly lung: Float32Array;
  /** Depth inside of the heart: 1 at its centre, below 0 outside. */
  readonly heart: Float32Array;
}

/** Smooth noise of about unit size on lattices of `cells` per side. */
function noiseField(cells: number, reader: RandomReader): (x: number, y: number) => number {
  const side = cells + 2;
  const grid = Float32Array.from({ length: side * side }, () => reader.uniform(-1, 1));
  return (x, y) => {
    const gx = Math.min(Math.max(x, 0), 0.9999) * cells;
    const gy = Math.min(Math.max(y, 0), 0.9999) * cells;
    const i = Math.floor(gx);
    const j = Math.floor(gy);
    const fx = smooth(0, 1, gx - i);
    const fy = smooth(0, 1, gy - j);
    const at = j * side + i;
    const top = grid[at] + (grid[at + 1] - grid[at]) * fx;
    const bottom = grid[at + side] + (grid[at + side + 1] - grid[at + side]) * fx;
    return top + (bottom - top) * fy;
  };
}

/** Half the width of the body's outline at height v. */
const outline = (v: number): number => 0.12 + 0.34 * smooth(0.03, 0.22, v) + 0.03 * smooth(0.2, 0.5, v);

/** 1 on the stripes of a pattern of period 1, 0 between. */
const stripe = (q: number): number => smooth(0.75, 0.35, Math.abs(q - Math.floor(q) - 0.5) * 2);

/** Brightness of the ribs at distance d from the centre: behind, then in front, where they run the other way. */
function ribs(body: Body, d: number, v: number): number {
  const { spacing, phase, light } = body.ribs;
  const x = d / body.width;
  const behind = (v - 0.16 * x - 0.1 * x * x) / spacing + phase;
  const front = (v + 0.3 * x * (1 - 0.3 * x)) / (spacing * 1.15) + phase * 0.7;
  return light * (stripe(behind) * (0.75 + 0.4 * x) + 0.45 * stripe(front) * smooth(0.2, 0.5, x));
}

/** Distance of a point from the clavicle, which runs from the breastbone outwards and up. */
function toClavicle({ apex, width }: Body, d: number, v: number): number {
  const dx = width - 0.02;
  const dy = -0.07;
  const t = Math.min(1, Math.max(0, ((d - 0.05) * dx + (v - apex - 0.075) * dy) / (dx * dx + dy * dy)));
  const x = d - 0.05 - t * dx;
  const y = v - apex - 0.075 - t * dy;
  return Math.sqrt(x * x + y * y);
}

/** Exposes a body. No transcendental function is used: equal bytes on every machine. */
export function exposeBody(body: Body, width: number, height: number, reader: RandomReader): Film {
  const values = new Float32Array(width * height);
  const lung = new Float32Array(width * height);
  const heart = new Float32Array(width * height);
  const coarse = noiseField(7, reader);
  const vessels = noiseField(15, reader);
  const fine = noiseField(60, reader);
  const bubble = { u: reader.uniform(0.14, 0.2), size: reader.uniform(0.03, 0.055) };
  for (let y = 0, i = 0; y < height; y++) {
    const v = (y + 0.5) / height;
    const rim = outline(v);
    const side = wall(body, v);
    for (let x = 0; x < width; x++, i++) {
      const u = (x + 0.5) / width - body.centre;
      const grain = body.slope[0] * u + body.slope[1] * (v - 0.5) + 0.035 * (reader.uniform() - 0.5);
      const d = Math.abs(u);
      if (d > rim + 0.02) {
        values[i] = 0.03 + grain;
        lung[i] = -1;
        heart[i] = -1;
        continue;
      }
      const sign = u < 0 ? -1 : 1;
      const skin = smooth(rim + 0.02, rim - 0.015, d);
      const spine = 0.24 * bump(d / 0.13) + 0.03 * bump(d / 0.035) * (0.5 + 0.5 * Math.abs(((v * 14) % 1) - 0.5));
      const abdomen = 0.16 * smooth(body.base - 0.16, body.base + 0.06, v);
      let value = body.tissue + spine + abdomen + 0.05 * coarse(u + body.centre, v);
      const depth = lungDepth(body, sign, d, v);
      lung[i] = depth;
      const inLung = smooth(-0.008, 0.02, depth);
      if (inLung > 0) {
        value -= inLung * (body.air + 0.06 * smooth(0.1, 0.45, v) - 0.05 * smooth(0, 0.06, -depth + 0.06));
        // Vessels fan out from the hila: coarser and brighter near them.
        const toHilum = Math.sqrt((d - 0.09) * (d - 0.09) + (v - 0.46) * (v - 0.46));
        const branch = bump(vessels(u + body.centre, v) / (0.34 - 0.5 * Math.min(toHilum, 0.4))) * (0.13 - 0.27 * Math.min(toHilum, 0.42));
        value += inLung * (Math.max(branch, 0) + 0.015 * fine(u + body.centre, v) + 0.17 * bump(toHilum / 0.09));
      }
      if (d < side + 0.03 && v > body.apex - 0.02 && v < body.base)
        value += ribs(body, d, v) * smooth(side + 0.03, side, d) * smooth(0.05, 0.1, d) * smooth(body.base, body.base - 0.14, v);
      const inHeart = heartDepth(body, u, v);
      heart[i] = inHeart;
      const cardiac = smooth(-0.06, 0.16, inHeart) * smooth(body.base + 0.02, body.base - 0.03, v);
      if (cardiac > 0) value += cardiac * Math.max(0, body.tissue + 0.12 + 0.06 * bump(u / 0.3) - value);
      const knob = bump(Math.sqrt((u - 0.062) * (u - 0.062) + (v - 0.3) * (v - 0.3)) / 0.06);
      if (knob > 0.05) value += smooth(0.05, 0.3, knob) * Math.max(0, body.tissue + 0.14 - value);
      value -= 0.14 * bump(d / 0.03) * smooth(0.33, 0.24, v);
      const clavicle = v < 0.3 ? toClavicle(body, d, v) : 1;
      value += 0.11 * smooth(0.017, 0.009, clavicle) - 0.04 * bump(clavicle / 0.008);
      if (sign === 1) {
        const gas = Math.sqrt((u - bubble.u) * (u - bubble.u) * 0.5 + (v - body.base - 0.01) * (v - body.base - 0.01)) / bubble.size;
        value -= 0.17 * smooth(1, 0.7, gas);
      }
      values[i] = 0.03 + skin * (value - 0.03) + grain;
    }
  }
  if (body.marker) mark(values, width, height, reader);
  return { width, height, body, values, lung, heart };
}

/** The technician's "L" beside the patient's left shoulder. */
function mark(values: Float32Array, width: number, height: number, reader: RandomReader): void {
  const left = reader.uniform(0.9, 0.93);
  const top = reader.uniform(0.03, 0.07);
  const paint = (u0: number, v0: number, u1: number, v1: number): void => {
    for (let y = Math.round(v0 * height); y < Math.round(v1 * height); y++)
      for (let x = Math.round(u0 * width); x < Math.round(u1 * width); x++) values[y * width + x] = 0.93;
  };
  paint(left, top, left + 0.012, top + 0.055);
  paint(left, top + 0.043, left + 0.038, top + 0.055);
}
