/** @file The colour bar below a map: the colours of its scale with round ticks and the unit. */
import { hex } from '../../../report/attribution/colour-map.ts';
import type { Scale } from '../../../report/attribution/normalise.ts';
import { colourMapOf } from './scales.ts';

const STOPS = 12;

/** A lying bar. @param unit where the scale's own does not say it */
export function ColourBar({ scale, unit = scale.unit }: { readonly scale: Scale; readonly unit?: string }) {
  const map = colourMapOf(scale);
  const stops = Array.from({ length: STOPS + 1 }, (_, i) => `${hex(map.at(i / STOPS))} ${((100 * i) / STOPS).toFixed(1)}%`);
  return (
    <div class="colour-bar" aria-hidden="true">
      <span class="ramp" style={{ background: `linear-gradient(to right, ${stops.join(', ')})` }} />
      <span class="ticks">
        {scale.ticks.map(tick => (
          <i key={tick.label} style={{ left: `${100 * tick.position}%` }}>
            {tick.label}
          </i>
        ))}
      </span>
      <span class="unit">{unit}</span>
    </div>
  );
}
