/** @file What one takes away: pictures, a page, the numbers; the same as a command or a program; a link. */
import { useState } from 'preact/hooks';
import type { ExportRequest } from '../../requests.ts';
import { announce } from '../state/announce.ts';
import { need, sentenceOf } from '../state/studio.ts';
import { isDark } from '../state/theme.ts';
import { copyText, saveBlob } from '../ui/take-away.ts';
import type { Panel } from './panels.ts';
import { colours, opacity, overlay, unit } from './view.ts';

const FORMATS: readonly (readonly [ExportRequest['format'], string])[] = [
  ['png', 'PNG'],
  ['svg', 'SVG'],
  ['html', 'HTML'],
  ['json', 'JSON'],
];

/** The buttons; they act on the active panel's result. */
export function Exports({ panel }: { readonly panel: Panel }) {
  const [said, setSaid] = useState('');
  const { result } = panel.state.value;
  const say = (sentence: string): void => {
    setSaid(sentence);
    announce(sentence);
  };
  const save = async (format: ExportRequest['format']): Promise<void> => {
    if (!result) return;
    try {
      const file = await need().exportResult({
        result: result.id,
        format,
        theme: isDark() ? 'dark' : 'light',
        unit: result.attribution.unit === 'nats' ? unit.peek() : undefined,
        opacity: overlay.peek() === 'blended' ? opacity.peek() : undefined,
        colourMap: colours.peek() === 'auto' ? undefined : colours.peek(),
      });
      saveBlob(file, `${result.method}.${format}`);
      say(`${result.method}.${format} is saved.`);
    } catch (error) {
      say(sentenceOf(error));
    }
  };
  const copy = async (text: string, what: string): Promise<void> =>
    say((await copyText(text)) ? `${what} is copied.` : `The browser did not let the page copy. ${what}: ${text}`);
  return (
    <div class="exports">
      <div class="row">
        {FORMATS.map(([format, text]) => (
          <button key={format} type="button" class="small" disabled={!result} onClick={() => void save(format)}>
            {text}
          </button>
        ))}
      </div>
      <div class="row">
        <button type="button" class="small" disabled={!result?.command} onClick={() => void copy(result?.command ?? '', 'The command')}>
          Copy as command
        </button>
        <button
          type="button"
          class="small"
          disabled={!result?.typescript}
          onClick={() => void copy(result?.typescript ?? '', 'The program')}
        >
          Copy as TypeScript
        </button>
        <button type="button" class="small" onClick={() => void copy(location.href, 'The link')}>
          Copy link
        </button>
      </div>
      {said && <p class="note">{said}</p>}
    </div>
  );
}
