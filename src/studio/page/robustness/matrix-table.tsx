/** @file Models by shifts by severities: what each shift changes against the clean set, in points; its interval and the answers that turned, on pointing. */
import { useState } from 'preact/hooks';
import { cellText, type MatrixCell, STEPS, shadeOf } from '../../../report/evaluation/matrix.ts';
import { KIND_TITLES, pointsInterval, pointsText, scenarioTitle } from '../../../report/evaluation/view.ts';
import type { RobustnessView } from '../../evidence.ts';
import { type Block, jointMatrix } from './columns.ts';

/** A cell in a sentence. */
export function cellSentence({ result, change, apart }: MatrixCell): string {
  const test = apart ? '' : ', not apart from clean';
  return `${scenarioTitle(result.scenario)}: ${pointsText(change.difference)} points ${pointsInterval(change)}${test}; ${change.rightToWrong} right answers turned wrong, ${change.wrongToRight} wrong ones right`;
}

const ground = (shade: number): string =>
  `color-mix(in srgb, var(${shade < 0 ? '--one' : '--two'}) ${Math.round((55 * Math.abs(shade)) / STEPS)}%, transparent)`;

const span = (blocks: readonly Block[]): number => blocks.reduce((sum, { severities }) => sum + severities.length, 0);

function Head({ blocks, several }: { readonly blocks: readonly Block[]; readonly several: boolean }) {
  const sets = [...new Set(blocks.map(block => block.key))];
  return (
    <thead>
      <tr>
        <td />
        {sets.map(key => {
          const mine = blocks.filter(block => block.key === key);
          return (
            <th key={key} class="edge" scope="colgroup" colSpan={span(mine)}>
              {mine[0].title}
            </th>
          );
        })}
      </tr>
      {several && (
        <tr>
          <th scope="col">model</th>
          {blocks.map(({ key, model, severities }) => (
            <th key={`${key} ${model}`} class="edge model-name" scope="colgroup" colSpan={severities.length}>
              {model}
            </th>
          ))}
        </tr>
      )}
      <tr>
        <th scope="col">severity</th>
        {blocks.flatMap(({ key, model, severities }) =>
          severities.map((severity, i) => (
            <th key={`${key} ${model} ${severity}`} class={i === 0 ? 'edge' : undefined} scope="col">
              {severity || '–'}
            </th>
          )),
        )}
      </tr>
    </thead>
  );
}

/** The matrix of all open runs. */
export function MatrixTable({ runs }: { readonly runs: readonly RobustnessView[] }) {
  const [said, setSaid] = useState('');
  const matrix = jointMatrix(runs);
  if (!matrix) return <p class="note">No set was asked both clean and under a shift, so there is no change to show.</p>;
  const { blocks, groups, largest } = matrix;
  const several = runs.length > 1;
  const owners = blocks.flatMap(block => block.severities.map((_, i) => ({ model: block.model, first: i === 0 })));
  const sentence = (cell: MatrixCell, i: number): string => `${several ? `${owners[i].model}, ` : ''}${cellSentence(cell)}`;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section class="scroll" tabIndex={0} aria-label="Changes under shifts">
        <table class="matrix">
          <Head blocks={blocks} several={several} />
          {groups.map(({ kind, rows }) => (
            <tbody key={kind}>
              <tr>
                <th class="kind" scope="rowgroup" colSpan={1 + span(blocks)}>
                  {KIND_TITLES[kind]}
                </th>
              </tr>
              {rows.map(({ name, cells }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  {cells.map((cell, i) => (
                    <td
                      key={i}
                      class={owners[i].first ? 'edge' : undefined}
                      style={cell ? { background: ground(shadeOf(cell.change.difference, largest)) } : undefined}
                      title={cell && sentence(cell, i)}
                      onPointerEnter={() => setSaid(cell ? sentence(cell, i) : '')}
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
