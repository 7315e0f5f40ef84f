/** @file The model of the view: in Chat those that answer, elsewhere those that explain; the one that is being opened with words. */
import { useModel } from '../attribute/begin.ts';
import { chatModel, openChatModel } from '../chat/conversation.ts';
import { place } from '../state/place.ts';
import { model, models, opening } from '../state/studio.ts';
import { sizeText } from '../ui/sizes.ts';

/** The choice. */
export function ModelChoice() {
  const chat = place.value.view === 'chat';
  const current = opening.value?.reference ?? (chat ? chatModel.value : model.value)?.id;
  const offered = models.value.filter(each => !chat || each.kind === undefined || each.kind !== 'dual-encoder');
  if (offered.length === 0) return null;
  const known = offered.some(each => each.id === current);
  const choose = (reference: string): void => {
    if (chat) void openChatModel(reference);
    else void useModel(reference);
  };
  return (
    <label class="model-choice">
      <span class="unseen">Model</span>
      <select value={current} disabled={opening.value !== undefined} onChange={event => choose(event.currentTarget.value)}>
        {!known && <option value={current}>{current ?? 'no model yet'}</option>}
        {offered.map(each => (
          <option key={each.id} value={each.id} disabled={each.problem !== undefined} title={each.problem}>
            {each.name} ({sizeText(each.bytes)})
          </option>
        ))}
      </select>
    </label>
  );
}
