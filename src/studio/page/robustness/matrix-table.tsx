/** @file Shifts by severity: what each changes against the clean set, in points; its interval and the answers that turned, on pointing. */
import { useState } from 'preact/hooks';
import type { EvaluationResults } from '../../../evaluation/run/results.ts';
import { cellText, type MatrixCell, matrixOf, STEPS, shadeOf } from '../../../report/evaluation/matrix.ts';
import { KIND_TITLES, pointsInterval, pointsText, scenarioTitle } from '../../../report/evaluation/view.ts';

/** A cell in a sentence. */
export function cellSentence({ result, change, apart }: MatrixCell): string {
  const test = apart ? '' : ', not apart from clean';
  return `${scenarioTitle(result.scenario)}: ${pointsText(change.difference)} points ${pointsInterval(change)}${test}; ${change.rightToWrong} right answers turned wrong, ${change.wrongToRight} wrong ones right`;
}

const ground = (shade: number): string =>
  `color-mix(in srgb, var(${shade < 0 ? '--one' : '--two'}) ${Math.round((55 * Math.abs(shade)) / STEPS)}%, transparent)`;

/** The matrix. */
export function MatrixTable({ results }: { readonly results: EvaluationResults }) {
  const [said, setSaid] = useState('');
  const matrix = matrixOf(results);
  if (!matrix) return <p class="note">No set was asked both clean and under a shift, so there is no change to show.</p>;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section class="scroll" tabIndex={0} aria-label="Changes under shifts">
        <table class="matrix">
          <thead>
            <tr>
              <td />
              {matrix.sets.map(({ set, severities }) => (
                <th key={`${set.benchmark} ${set.prompt}`} scope="colgroup" colSpan={severities.length}>
                  {set.title}
                </th>
              ))}
            </tr>
            <tr>
              <th scope="col">severity</th>
              {matrix.sets.flatMap(({ set, severities }) =>
                severities.map(severity => (
                  <th key={`${set.benchmark} ${set.prompt} ${severity}`} scope="col">
                    {severity || '–'}
                  </th>
                )),
              )}
            </tr>
          </thead>
          {matrix.groups.map(({ kind, rows }) => (
            <tbody key={kind}>
              <tr>
                <th class="kind" scope="rowgroup" colSpan={1 + matrix.sets.reduce((sum, { severities }) => sum + severities.length, 0)}>
                  {KIND_TITLES[kind]}
                </th>
              </tr>
              {rows.map(({ name, cells }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  {cells.map((cell, i) => (
                    <td
                      key={i}
                      style={cell ? { background: ground(shadeOf(cell.change.difference, matrix.largest)) } : undefined}
                      title={cell && cellSentence(cell)}
                      onPointerEnter={() => setSaid(cell ? cellSentence(cell) : '')}
                    >
                      {cell ? cellText(cell) : ''}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      </section>
      <p class="note">{said || 'Points against the clean set; † is not significant after correction.'}</p>
    </>
  );
}
