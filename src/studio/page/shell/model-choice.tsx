/** @file The model that explains: those that the backend knows, the one that is being opened with words. */
import { useModel } from '../attribute/begin.ts';
import { model, models, opening } from '../state/studio.ts';

const megabytes = (bytes: number): string => `${Math.max(1, Math.round(bytes / 1e6))} MB`;

/** The choice. */
export function ModelChoice() {
  const current = opening.value?.reference ?? model.value?.id;
  if (models.value.length === 0) return null;
  const known = models.value.some(each => each.id === current);
  return (
    <label class="model-choice">
      <span class="unseen">Model</span>
      <select value={current} disabled={opening.value !== undefined} onChange={event => void useModel(event.currentTarget.value)}>
        {current !== undefined && !known && <option value={current}>{current}</option>}
        {models.value.map(each => (
          <option key={each.id} value={each.id} disabled={each.problem !== undefined || each.methods.length === 0} title={each.problem}>
            {each.name} ({megabytes(each.bytes)})
          </option>
        ))}
      </select>
    </label>
  );
}
