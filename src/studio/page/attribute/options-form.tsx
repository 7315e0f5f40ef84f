/** @file A method's options as controls, made from its own schema. A change counts when it is let go of, and runs the method again. */
import { useState } from 'preact/hooks';
import type { OptionInfo } from '../../facts.ts';
import { answers, methodInfo } from '../state/studio.ts';
import type { Panel } from './panels.ts';
import { run } from './run.ts';

/** Options that stand outside the fold. */
const OPEN = 4;

function change(panel: Panel, option: OptionInfo, value: unknown): void {
  const { [option.name]: _, ...rest } = panel.options.peek();
  panel.options.value = value === undefined || value === option.default ? rest : { ...rest, [option.name]: value };
  void run();
}

/** A number within an option's bounds, or why it is none. */
export function numberOf(option: OptionInfo, text: string): number | string {
  const value = Number(text.replace('−', '-').replace(',', '.'));
  if (text.trim() === '' || !Number.isFinite(value)) return `${option.name} takes a number.`;
  if (option.kind === 'integer' && !Number.isInteger(value)) return `${option.name} takes a whole number.`;
  if (option.least !== undefined && (option.above ? value <= option.least : value < option.least))
    return `${option.name} must be ${option.above ? 'above' : 'at least'} ${option.least}.`;
  if (option.most !== undefined && value > option.most) return `${option.name} may be at most ${option.most}.`;
  return value;
}

/** The words of a default. */
const plain = (value: unknown): string => (value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value));

interface ControlProps {
  readonly panel: Panel;
  readonly option: OptionInfo;
  readonly id: string;
}

function NumberControl({ panel, option, id }: ControlProps) {
  const value = panel.options.value[option.name] ?? option.default;
  const [wrong, setWrong] = useState('');
  const take = (text: string): void => {
    if (option.words?.includes(text.trim()) || (text.trim() === '' && option.default === undefined)) {
      setWrong('');
      change(panel, option, text.trim() === '' ? undefined : text.trim());
      return;
    }
    const read = numberOf(option, text);
    setWrong(typeof read === 'string' ? read : '');
    if (typeof read === 'number') change(panel, option, read);
  };
  // A positive number without an end is turned on a logarithmic slider, a hundredth to a hundred times its default.
  const usual = option.default;
  const logarithmic =
    option.kind === 'number' &&
    option.most === undefined &&
    typeof usual === 'number' &&
    usual > 0 &&
    typeof value === 'number' &&
    value > 0;
  return (
    <>
      <span class="pair">
        {logarithmic && (
          <input
            type="range"
            min={-40}
            max={40}
            step={1}
            value={Math.round(20 * Math.log10((value as number) / (usual as number)))}
            aria-label={`${option.name}, slider`}
            aria-valuetext={plain(value)}
            onChange={event => take(String(Number(((usual as number) * 10 ** (Number(event.currentTarget.value) / 20)).toPrecision(2))))}
          />
        )}
        <input
          id={id}
          type="text"
          inputMode={option.words ? 'text' : 'decimal'}
          class={logarithmic ? 'short' : ''}
          value={plain(value)}
          placeholder={plain(option.default) || 'not set'}
          aria-invalid={wrong !== ''}
          aria-describedby={`${id}-help`}
          list={option.words ? `${id}-words` : undefined}
          onChange={event => take(event.currentTarget.value)}
        />
        {option.words && (
          <datalist id={`${id}-words`}>
            {option.words.map(word => (
              <option key={word} value={word} />
            ))}
          </datalist>
        )}
      </span>
      {wrong && (
        <span class="wrong" role="alert">
          {wrong}
        </span>
      )}
    </>
  );
}

function TextControl({ panel, option, id }: ControlProps) {
  const value = panel.options.value[option.name] ?? option.default;
  const [wrong, setWrong] = useState('');
  const take = (text: string): void => {
    setWrong('');
    if (text.trim() === '' || option.kind === 'text') {
      change(panel, option, text.trim() === '' ? undefined : text);
      return;
    }
    try {
      change(panel, option, JSON.parse(text));
    } catch {
      setWrong(`${option.name} takes JSON, such as [1, 2] or "word".`);
    }
  };
  return (
    <>
      <input
        id={id}
        type="text"
        value={plain(value)}
        placeholder="not set"
        aria-invalid={wrong !== ''}
        aria-describedby={`${id}-help`}
        onChange={event => take(event.currentTarget.value)}
      />
      {wrong && (
        <span class="wrong" role="alert">
          {wrong}
        </span>
      )}
    </>
  );
}

function Control(props: ControlProps) {
  const { panel, option, id } = props;
  const value = panel.options.value[option.name] ?? option.default;
  if (option.kind === 'boolean')
    return (
      <input
        id={id}
        type="checkbox"
        checked={value === true}
        aria-describedby={`${id}-help`}
        onChange={event => change(panel, option, event.currentTarget.checked)}
      />
    );
  if (option.kind === 'choice')
    return (
      <select
        id={id}
        aria-describedby={`${id}-help`}
        value={plain(value)}
        onChange={event => change(panel, option, event.currentTarget.value === '' ? undefined : event.currentTarget.value)}
      >
        {option.default === undefined && <option value="">not set</option>}
        {option.choices?.map(choice => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    );
  return option.kind === 'number' || option.kind === 'integer' ? <NumberControl {...props} /> : <TextControl {...props} />;
}

function Row({ panel, option }: Omit<ControlProps, 'id'>) {
  const id = `option-${panel.id}-${option.name}`;
  const changed = option.name in panel.options.value;
  return (
    <div class={`option${changed ? ' changed' : ''}`}>
      <label for={id}>{option.name}</label>
      <Control panel={panel} option={option} id={id} />
      <small id={`${id}-help`}>
        {option.help}
        {changed && ` (default ${plain(option.default) || 'not set'})`}
      </small>
    </div>
  );
}

/** All options of a panel's method. */
export function OptionsForm({ panel }: { readonly panel: Panel }) {
  const chosen = methodInfo(panel.method.value);
  const usual = (answers() && chosen?.answers) || {};
  const options = (chosen?.options ?? []).map(option => (option.name in usual ? { ...option, default: usual[option.name] } : option));
  if (options.length === 0) return null;
  // What opens a file or loads a plug-in still stands there: nothing is hidden, only folded.
  const rest = options.slice(OPEN);
  return (
    <div class="options" key={`${panel.id}-${panel.method.value}-${answers()}`}>
      {options.slice(0, OPEN).map(option => (
        <Row key={option.name} panel={panel} option={option} />
      ))}
      {rest.length > 0 && (
        <details>
          <summary>{rest.length} more</summary>
          {rest.map(option => (
            <Row key={option.name} panel={panel} option={option} />
          ))}
        </details>
      )}
    </div>
  );
}
