/** @file The run of a gate: fit and information over steps, drawn as they come, with a slider that goes back to any step. */
import { digitsFor, formatValue } from '../../../report/attribution/normalise.ts';
import type { FrameEvent } from '../../protocol.ts';
import { frameTotal, isPlaying, lastStep } from './maps.ts';
import type { Panel } from './panels.ts';
import { replay } from './play.ts';
import { shownUnit } from './scales.ts';

const [WIDTH, HEIGHT, PAD] = [320, 84, 6];

interface Line {
  readonly name: 'picture' | 'caption';
  readonly points: readonly (readonly [step: number, value: number])[];
}

/** The newest value up to a step. */
const valueAt = ({ points }: Line, step: number): number => (points.findLast(([at]) => at <= step) ?? points[0])[1];

/** A small chart: one or two lines over steps. */
function Spark({
  title,
  lines,
  steps,
  at,
  text,
}: {
  title: string;
  lines: readonly Line[];
  steps: number;
  at: number;
  text: (value: number) => string;
}) {
  const all = lines.flatMap(line => line.points.map(([, value]) => value));
  if (all.length === 0) return null;
  const low = Math.min(0, ...all);
  const high = Math.max(...all);
  const x = (step: number): number => PAD + ((step - 1) / Math.max(1, steps - 1)) * (WIDTH - 2 * PAD);
  const y = (value: number): number => HEIGHT - PAD - ((value - low) / (high - low || 1)) * (HEIGHT - 2 * PAD);
  const now = lines.map(line => `${line.name} ${text(valueAt(line, at))}`).join(', ');
  return (
    <figure class="spark">
      <figcaption>
        <b>{title}</b> <span>{now}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${title} after step ${at}: ${now}`}>
        <line class="ground" x1={PAD} x2={WIDTH - PAD} y1={y(low)} y2={y(low)} />
        {lines.map(line => (
          <polyline
            key={line.name}
            class={line.name}
            points={line.points.map(([step, value]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(' ')}
          />
        ))}
        <line class="now" x1={x(at)} x2={x(at)} y1={PAD / 2} y2={HEIGHT - PAD / 2} />
      </svg>
    </figure>
  );
}

/** The step that is shown: where one scrubbed to, where the playing is, or the end. */
function stepShown(panel: Panel): number {
  const { image, text } = panel.state.value;
  const { value: played } = panel.played;
  if (panel.scrub.value !== undefined) return panel.scrub.value;
  if (!isPlaying(panel)) return lastStep(panel);
  const frames = played.image < image.length ? image.slice(0, played.image) : text.slice(0, played.text);
  return frames.at(-1)?.step ?? 1;
}

/** The timeline of a panel; nothing where it has no frames. */
export function Timeline({ panel }: { readonly panel: Panel }) {
  const { image, text } = panel.state.value;
  const steps = image[0]?.steps ?? text[0]?.steps ?? 0;
  const have = lastStep(panel);
  if (have === 0) {
    const { result } = panel.state.value;
    const fit = result?.attribution.image?.convergence.fit ?? result?.attribution.text?.convergence.fit ?? [];
    return result?.kept && fit.length > 0 ? (
      <p class="note">This map was computed before, and its steps were not kept: the gate cannot be played again.</p>
    ) : null;
  }
  const played = panel.scrub.value === undefined ? panel.played.value : { image: image.length, text: text.length };
  const at = stepShown(panel);
  const factor = shownUnit('nats') === 'bits' ? Math.LOG2E : 1;
  const lines = (value: (frame: FrameEvent) => number): Line[] =>
    (
      [
        ['picture', image.slice(0, played.image)],
        ['caption', text.slice(0, played.text)],
      ] as const
    ).flatMap(([name, frames]) =>
      frames.length === 0 ? [] : [{ name, points: frames.map(frame => [frame.step, value(frame)] as const) }],
    );
  return (
    <section class="timeline" aria-label="The gate, step by step">
      <Spark title="Fit" lines={lines(frame => frame.fit)} steps={steps} at={at} text={value => formatValue(value, 3)} />
      <Spark
        title="Information kept"
        lines={lines(frame => frameTotal(frame) * factor)}
        steps={steps}
        at={at}
        text={value => `${formatValue(value, digitsFor(value))} ${shownUnit('nats')}`}
      />
      <div class="scrub">
        <button type="button" class="small" aria-label="Replay the gate" onClick={() => replay(panel)}>
          Replay
        </button>
        <input
          type="range"
          min={1}
          max={have}
          step={1}
          value={at}
          aria-label="Step of the gate"
          aria-valuetext={`step ${at} of ${steps}`}
          onInput={event => {
            const step = Number(event.currentTarget.value);
            panel.scrub.value = step;
          }}
        />
        <output>
          {at} / {steps}
        </output>
      </div>
    </section>
  );
}
