/** @file How the maps are looked at. Nothing is computed again. */
import { colourMaps } from '../../../report/attribution/colour-map.ts';
import { methodInfo } from '../state/studio.ts';
import { panels } from './panels.ts';
import { boxes, colours, difference, draft, drawing, opacity, overlay, scaling, smooth, unit } from './view.ts';

const names: Readonly<Record<string, string>> = { blended: 'blended', heat: 'heat on grey', masked: 'light where it matters' };

/** Radio buttons that look like one row. */
function Choice<T extends string>({
  name,
  label,
  value,
  of,
  set,
}: {
  name: string;
  label: string;
  value: T;
  of: readonly (readonly [T, string])[];
  set: (value: T) => void;
}) {
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {of.map(([key, text]) => (
        <label key={key}>
          <input type="radio" name={name} value={key} checked={value === key} onChange={() => set(key)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** The controls. */
export function ViewForm() {
  const infos = panels.value.map(panel => methodInfo(panel.method.value));
  const nats = infos.some(each => each?.unit === 'nats');
  const mixed = new Set(infos.map(each => each?.unit)).size > 1;
  return (
    <div class="options">
      <div class="option">
        <label for="opacity">Opacity</label>
        <input
          id="opacity"
          type="range"
          min={0}
          max={100}
          value={Math.round(100 * opacity.value)}
          aria-valuetext={`${Math.round(100 * opacity.value)} %`}
          onInput={event => {
            opacity.value = Number(event.currentTarget.value) / 100;
          }}
        />
      </div>
      <div class="option">
        <label for="overlay">Laid on</label>
        <select
          id="overlay"
          value={overlay.value}
          onChange={event => {
            overlay.value = event.currentTarget.value as typeof overlay.value;
          }}
        >
          {Object.entries(names).map(([key, text]) => (
            <option key={key} value={key}>
              {text}
            </option>
          ))}
        </select>
      </div>
      <div class="option">
        <label for="colours">Colours</label>
        <select
          id="colours"
          value={colours.value}
          onChange={event => {
            colours.value = event.currentTarget.value;
          }}
        >
          <option value="auto">what suits the values</option>
          {colourMaps.map(map => (
            <option key={map.name} value={map.name}>
              {map.about}
            </option>
          ))}
        </select>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={smooth.value}
          onChange={event => {
            smooth.value = event.currentTarget.checked;
          }}
        />
        smooth between patches
      </label>
      {nats && (
        <Choice
          name="unit"
          label="Unit"
          value={unit.value}
          of={[
            ['nats', 'nats'],
            ['bits', 'bits'],
          ]}
          set={value => {
            unit.value = value;
          }}
        />
      )}
      {panels.value.length > 1 && (
        <>
          <Choice
            name="scale"
            label="Scale"
            value={scaling.value}
            of={[
              ['own', 'each its own'],
              ['one', 'one for all'],
            ]}
            set={value => {
              scaling.value = value;
            }}
          />
          {mixed && scaling.value === 'one' && <p class="note">Nats and scores share no scale: there is one for each.</p>}
        </>
      )}
      {panels.value.length === 2 && (
        <label class="check">
          <input
            type="checkbox"
            checked={difference.value}
            onChange={event => {
              difference.value = event.currentTarget.checked;
            }}
          />
          difference of the two
        </label>
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={drawing.value}
          onChange={event => {
            drawing.value = event.currentTarget.checked;
            draft.value = undefined;
          }}
        />
        draw boxes on the picture
      </label>
      {drawing.value && boxes.value.length === 0 && (
        <p class="note">Drag on the picture: what share of the map lies inside, and does its strongest place?</p>
      )}
      {boxes.value.length > 0 && (
        <div class="row">
          <button
            type="button"
            class="small"
            onClick={() => {
              boxes.value = boxes.peek().slice(0, -1);
            }}
          >
            Remove the last box
          </button>
          <button
            type="button"
            class="small"
            onClick={() => {
              boxes.value = [];
            }}
          >
            Remove all
          </button>
        </div>
      )}
    </div>
  );
}
