/** @file The difference of two maps: in their unit where both have nats, else in shares of each map's whole. */
import { displayScale } from '../../../report/attribution/normalise.ts';
import type { ShownPicture } from '../state/picture-files.ts';
import { titleOf } from '../state/studio.ts';
import { ColourBar } from './colour-bar.tsx';
import type { ImageMap, Shown } from './maps.ts';
import { panels } from './panels.ts';
import { shownUnit } from './scales.ts';
import { Stage } from './stage.tsx';

/** First minus second, and what the numbers are. Undefined where the maps have other patches. */
export function differenceOf(first: Shown, second: Shown): { map: ImageMap; unit: Shown['unit']; shares: boolean } | undefined {
  const [a, b] = [first.image, second.image];
  if (!a || !b || a.grid[0] !== b.grid[0] || a.grid[1] !== b.grid[1]) return undefined;
  const shares = first.unit !== 'nats' || second.unit !== 'nats';
  const whole = (values: Float32Array): number => values.reduce((sum, value) => sum + Math.abs(value), 0) || 1;
  const [scaleA, scaleB] = shares ? [100 / whole(a.patches), 100 / whole(b.patches)] : [1, 1];
  const patches = a.patches.map((value, i) => value * scaleA - b.patches[i] * scaleB);
  return { map: { grid: a.grid, view: a.view, patches }, unit: shares ? 'score' : 'nats', shares };
}

/** The panel of the difference. */
export function DifferenceView({ picture, all }: { readonly picture: ShownPicture; readonly all: readonly Shown[] }) {
  const found = differenceOf(all[0], all[1]);
  const [one, other] = panels.value.map(panel => titleOf(panel.method.value));
  const title = `${one} − ${other}`;
  if (!found)
    return (
      <section class="panel" aria-label={title}>
        <p class="note">There is no difference to show until both maps are there, over the same patches.</p>
      </section>
    );
  const scale = displayScale(found.map.patches, found.unit, { signed: true, unit: found.shares ? 'score' : shownUnit('nats') });
  return (
    <section class="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <p class="sum">{found.shares ? 'percent of each map’s whole' : shownUnit('nats')}</p>
      </header>
      <Stage picture={picture} shown={{ image: found.map, unit: found.unit }} scale={scale} title={title} />
      <ColourBar scale={scale} unit={found.shares ? 'percent' : undefined} />
    </section>
  );
}
