/** @file The maps as tables, for those who read numbers or hear them. */
import { digitsFor, formatValue } from '../../../report/attribution/normalise.ts';
import { shownOf } from './maps.ts';
import type { Panel } from './panels.ts';
import { imageScale, wordScale } from './scales.ts';

/** Patches in rows and columns, and words in their order. */
export function ValuesTable({ panel }: { readonly panel: Panel }) {
  const shown = shownOf(panel);
  const scale = imageScale(shown, []);
  const words = wordScale(shown, []);
  const text = (value: number, of: typeof scale): string =>
    formatValue(value * of.factor, digitsFor(Math.max(of.high, -of.low) * of.factor));
  const [rows, columns] = shown.image?.grid ?? [0, 0];
  return (
    <div class="values">
      {shown.image && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
        <section class="scroll" tabIndex={0} aria-label="Values of the patches">
          <table>
            <caption>Patches, {scale.unit}</caption>
            <thead>
              <tr>
                <th scope="col">row</th>
                {Array.from({ length: columns }, (_, c) => (
                  <th key={c} scope="col">
                    {c + 1}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {Array.from({ length: rows }, (_, r) => (
                <tr key={r}>
                  <th scope="row">{r + 1}</th>
                  {Array.from({ length: columns }, (_, c) => (
                    <td key={c}>{text((shown.image?.patches ?? [])[r * columns + c], scale)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {shown.words && (
        <table>
          <caption>Words, {words.unit}</caption>
          <tbody>
            {shown.words.map((word, i) => (
              <tr key={i}>
                <th scope="row">{word.text}</th>
                <td>{text(word.value, words)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
