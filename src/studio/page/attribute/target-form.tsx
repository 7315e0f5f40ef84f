/** @file What is explained, and how often: the cosine to the caption, against another caption, among labels; which maps; seeds. */
import { useState } from 'preact/hooks';
import { answers, methodInfo } from '../state/studio.ts';
import { panels } from './panels.ts';
import { run } from './run.ts';
import { modality, seed, seeds, target } from './subject.ts';

type Kind = 'caption' | 'against' | 'labels';

const kindNow = (): Kind => (target.value.labels ? 'labels' : target.value.against !== undefined ? 'against' : 'caption');

/** Labels from a line: `a dog, a cat`. */
export const labelsOf = (text: string): string[] =>
  text
    .split(/[,;\n]/)
    .map(label => label.trim())
    .filter(label => label !== '');

/** The controls. */
export function TargetForm() {
  const [kind, setKind] = useState<Kind>(kindNow);
  const take = (next: typeof target.value): void => {
    target.value = next;
    void run();
  };
  const asks = answers();
  const sampled = panels.value.some(panel => methodInfo(panel.method.value)?.sampled);
  return (
    <div class="options">
      <div class="option">
        <label for="target-kind">Explain</label>
        <select
          id="target-kind"
          value={kind}
          onChange={event => {
            const next = event.currentTarget.value as Kind;
            setKind(next);
            if (next === 'caption' && kindNow() !== 'caption') take({});
          }}
        >
          <option value="caption">{asks ? 'the model’s answer' : 'the likeness to the caption'}</option>
          <option value="against">{asks ? 'the answer against another' : 'the caption against another'}</option>
          {!asks && <option value="labels">the caption among labels</option>}
        </select>
      </div>
      {kind === 'against' && (
        <div class="option">
          <label for="target-against">Against</label>
          <input
            id="target-against"
            type="text"
            value={target.value.against ?? ''}
            placeholder={asks ? 'no' : 'a cat'}
            onChange={event => take(event.currentTarget.value.trim() === '' ? {} : { against: event.currentTarget.value.trim() })}
          />
          <small>What speaks for the {asks ? 'answer' : 'caption'} and not for this one.</small>
        </div>
      )}
      {kind === 'labels' && (
        <div class="option">
          <label for="target-labels">Labels</label>
          <input
            id="target-labels"
            type="text"
            value={(target.value.labels ?? []).join(', ')}
            placeholder="a cat, a dog, a bird"
            onChange={event => {
              const labels = labelsOf(event.currentTarget.value);
              take(labels.length === 0 ? {} : { labels });
            }}
          />
          <small>The log-probability of the caption among these, set apart by commas.</small>
        </div>
      )}
      <div class="option">
        <label for="modality">Maps</label>
        <select
          id="modality"
          value={modality.value}
          onChange={event => {
            modality.value = event.currentTarget.value as typeof modality.value;
            void run();
          }}
        >
          <option value="both">picture and caption</option>
          <option value="image">picture only</option>
          <option value="text">caption only</option>
        </select>
      </div>
      {sampled && (
        <div class="option">
          <label for="seed">Seed</label>
          <span class="pair">
            <input
              id="seed"
              type="number"
              min={0}
              step={1}
              value={seed.value}
              onChange={event => {
                seed.value = Math.max(0, Math.trunc(Number(event.currentTarget.value) || 0));
                void run();
              }}
            />
            <label for="seeds">of</label>
            <input
              id="seeds"
              type="number"
              min={1}
              max={32}
              step={1}
              value={seeds.value}
              onChange={event => {
                seeds.value = Math.min(32, Math.max(1, Math.trunc(Number(event.currentTarget.value) || 1)));
                void run();
              }}
            />
          </span>
          <small>First seed and number of seeds; with several, the map is their mean.</small>
        </div>
      )}
    </div>
  );
}
