/** @file How maps are looked at: colours, scale, unit, what the pointer or the keys are on, boxes drawn by hand. */
import { signal } from '@preact/signals';
import type { OverlayMethod } from '../../../report/attribution/overlay.ts';
import type { Box } from '../../requests.ts';

/** Of the colours' layer, 0–1. */
export const opacity = signal(0.85);
/** How the map lies on the picture. */
export const overlay = signal<Exclude<OverlayMethod, 'contour'>>('blended');
/** A colour map's name, or the one that suits the values. */
export const colours = signal('auto');
/** Nats or bits, for maps of information. */
export const unit = signal<'nats' | 'bits'>('nats');
/** `one`: all panels of a unit share a scale. */
export const scaling = signal<'own' | 'one'>('own');
/** Whether the map is drawn smooth, or patch by patch. */
export const smooth = signal(true);
/** Whether the difference of the first two panels is shown. */
export const difference = signal(false);

/** What is pointed at: a patch (row by row), a word (its place in the caption), or a word of an answer. */
export interface Pointed {
  readonly patch?: number;
  readonly word?: number;
  readonly part?: number;
}
/** What the pointer or the keys are on. */
export const pointed = signal<Pointed>({});

/** Whether dragging on the picture draws a box. */
export const drawing = signal(false);
/** Boxes drawn by hand, in pixels of the picture. */
export const boxes = signal<readonly Box[]>([]);
/** A box that is being drawn. */
export const draft = signal<Box | undefined>(undefined);
