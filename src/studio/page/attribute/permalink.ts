/** @file The Attribute view as a link: everything that determines the maps, and how they are looked at. Opening it gives the same page. */
import type { OverlayMethod } from '../../../report/attribution/overlay.ts';
import type { TargetChoice } from '../../requests.ts';
import { readObject } from '../state/fragment.ts';
import { MOST_PANELS } from './limits.ts';
import { active, newPanel, panels } from './panels.ts';
import { caption, modality, picture, seed, seeds, target } from './subject.ts';
import { boxes, colours, difference, opacity, overlay, scaling, smooth, unit } from './view.ts';

/** Parameters of the page as it stands; defaults are left out. Reads signals, so that an effect follows them. @param model id of the open one */
export function linkParameters(model: string | undefined): Record<string, string> {
  const shown = picture.value;
  const options = panels.value.map(panel => panel.options.value);
  const plain = (value: unknown, usual: unknown): string => (value === usual ? '' : String(value));
  return {
    model: model ?? '',
    example: shown?.example ?? '',
    picture: shown && !shown.example ? shown.id : '',
    text: caption.value,
    methods: panels.value.map(panel => panel.method.value).join(','),
    options: options.some(each => Object.keys(each).length > 0) ? JSON.stringify(options) : '',
    target: Object.keys(target.value).length > 0 ? JSON.stringify(target.value) : '',
    modality: plain(modality.value, 'both'),
    seed: plain(seed.value, 0),
    seeds: plain(seeds.value, 1),
    opacity: plain(opacity.value, 0.85),
    overlay: plain(overlay.value, 'blended'),
    colours: plain(colours.value, 'auto'),
    unit: plain(unit.value, 'nats'),
    scale: plain(scaling.value, 'own'),
    smooth: smooth.value ? '' : 'no',
    difference: difference.value ? 'yes' : '',
    boxes: boxes.value.map(({ left, top, width, height }) => [left, top, width, height].map(exact).join(',')).join(';'),
  };
}

/** A coordinate without a tail of digits; boxes by keys lie on the edges of patches. */
const exact = (value: number): string => String(Number(value.toFixed(2)));

const number = (text: string | undefined, usual: number, least: number, most: number): number => {
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) && value >= least && value <= most ? value : usual;
};
const among = <T extends string>(text: string | undefined, choices: readonly T[], usual: T): T =>
  choices.includes(text as T) ? (text as T) : usual;

/** Takes a link's parameters over, its picture and model apart. What a link has not, or has wrong, is the default. */
export function applyLink(parameters: Readonly<Record<string, string>>): void {
  const names = (parameters.methods ?? 'm2ib')
    .split(',')
    .filter(name => /^[\w.-]+$/.test(name))
    .slice(0, MOST_PANELS);
  const options = listOfObjects(parameters.options);
  panels.value = (names.length > 0 ? names : ['m2ib']).map((name, i) => newPanel(name, options[i] ?? {}));
  active.value = 0;
  if (parameters.text !== undefined) caption.value = parameters.text;
  target.value = (readObject(parameters.target) as TargetChoice | undefined) ?? {};
  modality.value = among(parameters.modality, ['both', 'image', 'text'], 'both');
  seed.value = Math.trunc(number(parameters.seed, 0, 0, 2 ** 31));
  seeds.value = Math.trunc(number(parameters.seeds, 1, 1, 32));
  opacity.value = number(parameters.opacity, 0.85, 0, 1);
  overlay.value = among<Exclude<OverlayMethod, 'contour'>>(parameters.overlay, ['blended', 'heat', 'masked'], 'blended');
  colours.value = parameters.colours ?? 'auto';
  unit.value = among(parameters.unit, ['nats', 'bits'], 'nats');
  scaling.value = among(parameters.scale, ['own', 'one'], 'own');
  smooth.value = parameters.smooth !== 'no';
  difference.value = parameters.difference === 'yes';
}

function listOfObjects(text: string | undefined): Record<string, unknown>[] {
  const wrapped = readObject(`{"list":${text ?? '[]'}}`);
  const list = Array.isArray(wrapped?.list) ? wrapped.list : [];
  return list.map(each => (typeof each === 'object' && each !== null && !Array.isArray(each) ? (each as Record<string, unknown>) : {}));
}
