/** @file Answers that broke: right where nothing is shifted, wrong under a shift; the pictures clean and shifted beside the answers. */

import type { WorstCase } from '../../../evaluation/run/results.ts';
import { choicesText } from '../../../report/evaluation/view.ts';
import type { RobustnessView } from '../../evidence.ts';

function Pictures({ of, name }: { readonly of: RobustnessView['pictures'][number] | undefined; readonly name: string }) {
  const found = of?.[name];
  if (!found) return null;
  if (!Array.isArray(found)) return <p class="note">{(found as { readonly problem: string }).problem}</p>;
  return (
    <>
      {found.map((address, i) => (
        <img key={i} src={address} alt={`${name === 'clean' ? 'The picture' : `The picture under ${name}`}`} />
      ))}
    </>
  );
}

function One({ worst, pictures }: { readonly worst: WorstCase; readonly pictures: RobustnessView['pictures'][number] | undefined }) {
  return (
    <article class="case">
      <h3>
        {worst.text} {worst.options && <span class="note">{choicesText(worst.options)}</span>}
      </h3>
      <p class="note">
        {worst.benchmark}, {worst.key}; right is {worst.right.join(' or ')}; wrong under {worst.wrongUnder} of {worst.scenarios} shifts
      </p>
      <div class="case-maps">
        {worst.clean && (
          <figure>
            <Pictures of={pictures} name="clean" />
            <figcaption>
              <b>clean</b> {worst.clean.raw}
            </figcaption>
          </figure>
        )}
        {worst.wrong.map(({ scenario, raw }) => (
          <figure key={scenario}>
            <Pictures of={pictures} name={scenario} />
            <figcaption>
              <b>{scenario.replaceAll('_', ' ')}</b> {raw}
            </figcaption>
          </figure>
        ))}
      </div>
    </article>
  );
}

/** The list. @param title the run, where several are open */
export function Broken({ run, title }: { readonly run: RobustnessView; readonly title?: string }) {
  const { worst } = run.results;
  if (worst.length === 0) return null;
  return (
    <section class="broken" aria-label={`Answers that broke${title ? `, ${title}` : ''}`}>
      <h2>Answers that broke{title ? `: ${title}` : ''}</h2>
      {run.pictures.length === 0 && (
        <p class="note">A results.json by itself has no pictures. Start the studio with the evaluation’s folder to see them.</p>
      )}
      {worst.map((each, i) => (
        <One key={`${each.benchmark} ${each.key}`} worst={each} pictures={run.pictures[i]} />
      ))}
    </section>
  );
}
