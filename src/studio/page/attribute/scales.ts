/** @file Scales of the panels' maps: each its own, or one for all of a unit; and the colour map that suits them. */
import { type ColourMap, colourMaps, defaultColourMap } from '../../../report/attribution/colour-map.ts';
import { commonScale } from '../../../report/attribution/common-scale.ts';
import { type DisplayUnit, displayScale, type Scale } from '../../../report/attribution/normalise.ts';
import { isDark } from '../state/theme.ts';
import type { Shown } from './maps.ts';
import { colours, scaling, unit } from './view.ts';

/** The unit that values are shown in. */
export const shownUnit = (raw: Shown['unit']): DisplayUnit => (raw === 'nats' ? unit.value : 'score');

/** Values of a map that a scale must hold. */
const valuesOf = (shown: Shown): ArrayLike<number> | undefined => shown.image?.pixels?.values ?? shown.image?.patches;

/** A panel's scale for its picture. @param all what all panels show */
export function imageScale(shown: Shown, all: readonly Shown[]): Scale {
  const display = shownUnit(shown.unit);
  if (scaling.value === 'one' && all.length > 1) {
    const maps = all.flatMap(each => (each.unit === shown.unit ? [valuesOf(each)] : [])).filter(values => values !== undefined);
    const common = commonScale(maps, shown.unit, display);
    if (common) return common.scale;
  }
  return displayScale(valuesOf(shown) ?? [], shown.unit, { unit: display });
}

/** A panel's scale for its words. */
export function wordScale(shown: Shown, all: readonly Shown[]): Scale {
  const display = shownUnit(shown.unit);
  const of = (each: Shown): number[] => (each.words ?? []).map(word => word.value);
  if (scaling.value === 'one' && all.length > 1) {
    const common = commonScale(all.filter(each => each.unit === shown.unit).map(of), shown.unit, display);
    if (common) return common.scale;
  }
  return displayScale(of(shown), shown.unit, { unit: display });
}

/** The colour map that the person chose where it fits, else the default of its kind. */
export function colourMapOf(scale: Scale): ColourMap {
  const chosen = colourMaps.find(map => map.name === colours.value);
  return chosen && (chosen.kind === 'diverging') === scale.signed ? chosen : defaultColourMap(scale.signed, isDark());
}
