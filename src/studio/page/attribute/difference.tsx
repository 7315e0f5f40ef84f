/** @file The panel of the difference of two maps. */
import { displayScale } from '../../../report/attribution/normalise.ts';
import type { ShownPicture } from '../state/picture-files.ts';
import { titleOf } from '../state/studio.ts';
import { ColourBar } from './colour-bar.tsx';
import { differenceOf, differenceText } from './differences.ts';
import type { Shown } from './maps.ts';
import { panels } from './panels.ts';
import { shownUnit } from './scales.ts';
import { Stage } from './stage.tsx';
import { pointed } from './view.ts';

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
  const say = (patch: number): string => differenceText(patch, found, scale);
  const { patch } = pointed.value;
  return (
    <section class="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <p class="sum">{found.shares ? 'percent of each map’s whole' : shownUnit('nats')}</p>
      </header>
      <Stage picture={picture} shown={{ image: found.map, unit: found.unit }} scale={scale} title={title} say={say} />
      <ColourBar scale={scale} unit={found.shares ? 'percent' : undefined} />
      <p class="readout" aria-hidden="true">
        {(patch !== undefined && say(patch)) || '\u00a0'}
      </p>
    </section>
  );
}
