/** @file Below an answer: the method that explains it, what that costs, and how far it is. */
import { useEffect } from 'preact/hooks';
import type { CostInfo } from '../../facts.ts';
import { lasting } from '../attribute/lasting.ts';
import { MethodOptions } from '../attribute/method-picker.tsx';
import { info, titleOf } from '../state/studio.ts';
import { Warnings } from '../ui/warnings.tsx';
import { answering, chatModel, type Turn } from './conversation.ts';
import {
  answerCost,
  answerMethods,
  askCost,
  chosenMethod,
  explainAnswer,
  explaining,
  methodNow,
  stopExplaining,
} from './explain-answer.ts';

const costText = ({ kept, words, ...cost }: CostInfo): string => (kept ? 'computed already' : `${lasting(cost)} (${words})`);

/** How far it is, in words. */
function Progress({ explained }: { readonly explained: NonNullable<Turn['explained']> }) {
  const { progress, method, ahead = 0 } = explained;
  const line = ahead > 0 ? `${ahead} ${ahead === 1 ? 'job' : 'jobs'} before this one` : (progress?.phase ?? `Computing ${titleOf(method)}`);
  const left = progress?.left === undefined || progress.left < 1 ? '' : `, ${lasting({ seconds: progress.left, basis: 'measured' })} left`;
  return (
    <>
      <p class="note working">
        {line}
        {left}…
      </p>
      <progress class="bar" max={progress?.total || undefined} value={progress?.total ? progress.done : undefined} aria-label={line} />
    </>
  );
}

/** The form of the chosen turn. */
export function ExplainForm({ turn, index }: { readonly turn: Turn; readonly index: number }) {
  const method = methodNow();
  const busy = explaining.value === index;
  const { explained } = turn;
  useEffect(() => {
    void askCost(index);
  }, [index, method?.name, turn.answer, chatModel.value?.id]);
  if (!method) {
    const [reason] = Object.values(chatModel.value?.unserved ?? {});
    return chatModel.value?.open && reason ? <p class="note">{reason}</p> : null;
  }
  const known = answerCost.value?.turn === index && answerCost.value.cost.method === method.name ? answerCost.value.cost : undefined;
  return (
    <div class="explain-answer">
      <div class="row">
        <select
          aria-label="Method that explains the answer"
          value={method.name}
          disabled={busy}
          onChange={event => {
            chosenMethod.value = event.currentTarget.value;
          }}
        >
          <MethodOptions methods={answerMethods()} recommended={info.value?.recommendedForAnswers} />
        </select>
        {busy ? (
          <button type="button" class="small" onClick={stopExplaining}>
            Stop
          </button>
        ) : (
          <button type="button" class="small" disabled={answering.value !== undefined} onClick={() => void explainAnswer(index)}>
            Explain the answer
          </button>
        )}
      </div>
      {busy && explained ? <Progress explained={explained} /> : <p class="note cost">{known ? costText(known) : '\u00a0'}</p>}
      {explained?.status === 'stopped' && <p class="note">Stopped; nothing of it is shown.</p>}
      {explained?.failure && (
        <p class="failure" role="alert">
          {explained.failure}
        </p>
      )}
      <Warnings list={explained?.warnings ?? []} />
    </div>
  );
}
