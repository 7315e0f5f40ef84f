/** @file A random chest without findings, as a front view (posterior–anterior): the patient's right side is on the picture's left. */
import type { RandomReader } from '../../tensor/random.ts';

/** A side of the patient, never of the picture. */
export type Side = 'left' | 'right';

/** Both sides. */
export const SIDES: readonly Side[] = ['left', 'right'];

/** The sign of a side's u coordinate: the patient's left is on the picture's right. */
export const signOf = (side: Side): 1 | -1 => (side === 'left' ? 1 : -1);

/** The other side. */
export const otherSide = (side: Side): Side => (side === 'left' ? 'right' : 'left');

/** One chest, in units of the picture's side: u to the picture's right from `centre`, v downwards. */
export interface Body {
  readonly centre: number;
  /** v of the lungs' tops. */
  readonly apex: number;
  /** Half the width of the thorax, 0.34–0.4. */
  readonly width: number;
  /** v of the angles between ribs and diaphragm, and height of its domes by sign (−1 right, 1 left). */
  readonly base: number;
  readonly domes: Readonly<Record<-1 | 1, number>>;
  /** The heart's ellipse: centre relative to `centre`, and radii. */
  readonly heart: { readonly u: number; readonly v: number; readonly ru: number; readonly rv: number };
  /** Distance of two ribs, and how bright they are. */
  readonly ribs: { readonly spacing: number; readonly phase: number; readonly light: number };
  /** Brightness of soft tissue, and how much of it air takes away. */
  readonly tissue: number;
  readonly air: number;
  /** A film's light field: slope across and down. */
  readonly slope: readonly [number, number];
  readonly marker: boolean;
}

/** Draws a body's measures. @param enlarged whether the heart takes more than half of the thorax's width */
export function randomBody(reader: RandomReader, enlarged: boolean): Body {
  const width = reader.uniform(0.34, 0.4);
  // The cardiothoracic ratio: up to one half is normal.
  const ratio = enlarged ? reader.uniform(0.57, 0.7) : reader.uniform(0.38, 0.48);
  const ru = ratio * width;
  const base = reader.uniform(0.84, 0.9);
  return {
    centre: 0.5 + reader.uniform(-0.025, 0.025),
    apex: reader.uniform(0.08, 0.13),
    width,
    base,
    domes: { [-1]: reader.uniform(0.12, 0.17), 1: reader.uniform(0.09, 0.14) },
    heart: {
      u: reader.uniform(0.035, 0.06) + ru * 0.12,
      v: base - reader.uniform(0.2, 0.24),
      ru,
      rv: reader.uniform(0.15, 0.18) + ru * 0.15,
    },
    ribs: { spacing: reader.uniform(0.078, 0.095), phase: reader.uniform(), light: reader.uniform(0.06, 0.12) },
    tissue: reader.uniform(0.52, 0.6),
    air: reader.uniform(0.34, 0.42),
    slope: [reader.uniform(-0.04, 0.04), reader.uniform(-0.03, 0.06)],
    marker: reader.uniform() < 0.7,
  };
}

/** 0 below `low`, 1 above `high`, smooth between. */
export function smooth(low: number, high: number, x: number): number {
  const t = (x - low) / (high - low);
  return t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t);
}

/** A bump of height 1 at 0 that ends at ±1. */
export function bump(x: number): number {
  const t = 1 - x * x;
  return t <= 0 ? 0 : t * t;
}

/** Distance of the thorax's wall from the centre at height v. */
export function wall({ apex, base, width }: Body, v: number): number {
  const t = (v - apex) / (base - apex);
  if (t <= 0) return 0;
  const near = Math.min(1, t * 1.7);
  return width * (0.74 * Math.sqrt(1 - (1 - near) * (1 - near)) + 0.26 * Math.min(t, 1));
}

/** v of the diaphragm at distance `d` from the centre on a side. */
export function diaphragm(body: Body, sign: 1 | -1, d: number): number {
  const x = (d - body.width * 0.48) / (body.width * 0.56);
  return body.base - body.domes[sign] * Math.max(0, 1 - x * x);
}

/** Distance of the mediastinum's border from the centre at height v. */
export const mediastinum = (v: number): number => 0.05 + 0.025 * bump((v - 0.42) / 0.2) + 0.02 * smooth(0.45, 0.8, v);

/** How far inside of a lung a point is: below 0 outside, in units of the picture's side. */
export function lungDepth(body: Body, sign: 1 | -1, d: number, v: number): number {
  return Math.min(wall(body, v) - d, d - mediastinum(v), diaphragm(body, sign, d) - v);
}

/** How far inside of the heart a point is: 1 at its centre, 0 at its border. */
export function heartDepth({ heart }: Body, u: number, v: number): number {
  const y = (v - heart.v) / heart.rv;
  // The apex of the heart points to the patient's left and down.
  const x = (u - heart.u - 0.22 * heart.ru * y) / heart.ru;
  return 1 - x * x - y * y;
}
