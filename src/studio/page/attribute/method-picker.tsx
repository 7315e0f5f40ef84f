/** @file Which methods stand side by side: a list by family, with what each costs; those that the model does not serve say why. */
import { FAMILIES } from '../../../attribution/method.ts';
import type { MethodInfo } from '../../facts.ts';
import { answers, info, methodInfo, model } from '../state/studio.ts';
import { MOST_PANELS } from './limits.ts';
import { activePanel, addPanel, EMPTY, type Panel, panels, update } from './panels.ts';
import { run } from './run.ts';

const FAMILY_NAMES: Readonly<Record<string, string>> = {
  gradient: 'Gradients',
  'layer-gradient': 'Gradients of a layer',
  attention: 'Attention',
  perturbation: 'Perturbation',
  interaction: 'Interactions',
  bottleneck: 'Information bottlenecks',
  external: 'From elsewhere',
  control: 'Controls',
};

/** Methods of the open model's kind, served or not. */
function offered(): readonly MethodInfo[] {
  const open = model.value;
  const all = info.value?.methods ?? [];
  return open ? all.filter(method => open.methods.includes(method.name) || method.name in open.unserved) : all;
}

/** A list of methods by family. @param recommended marked as such */
export function MethodOptions({ methods, recommended }: { readonly methods: readonly MethodInfo[]; readonly recommended?: string }) {
  const unserved = model.value?.unserved ?? {};
  return (
    <>
      {FAMILIES.map(family => {
        const members = methods.filter(method => method.family === family);
        return members.length === 0 ? null : (
          <optgroup key={family} label={FAMILY_NAMES[family] ?? family}>
            {members.map(({ name, title }) => (
              <option key={name} value={name} disabled={name in unserved}>
                {title}
                {name === recommended ? ' (recommended)' : ''}
              </option>
            ))}
          </optgroup>
        );
      })}
    </>
  );
}

/** Chooses the active panel's method. */
export function MethodPicker({ panel }: { readonly panel: Panel }) {
  const methods = offered();
  const chosen = methodInfo(panel.method.value);
  const reason = model.value?.unserved[panel.method.value];
  return (
    <div class="method-picker">
      <label for="method">Method</label>
      <select
        id="method"
        value={panel.method.value}
        onChange={event => {
          panel.method.value = event.currentTarget.value;
          panel.options.value = {};
          update(panel, EMPTY);
          void run();
        }}
      >
        {methods.some(method => method.name === panel.method.value) ? null : (
          <option value={panel.method.value}>{chosen?.title ?? panel.method.value}</option>
        )}
        <MethodOptions methods={methods} recommended={answers() ? info.value?.recommendedForAnswers : info.value?.recommended} />
      </select>
      {chosen && (
        <p class="note">
          Cost: {chosen.cost}. {chosen.paper}.
        </p>
      )}
      {reason && <p class="warning">{reason}</p>}
    </div>
  );
}

/** Puts another method beside. */
export function AddMethod() {
  if (panels.value.length >= MOST_PANELS || !model.value) return null;
  const taken = new Set(panels.value.map(panel => panel.method.value));
  const first =
    ['gated-gradients', 'grad-eclip', 'm2ib'].find(name => !taken.has(name) && model.value?.methods.includes(name)) ??
    model.value.methods.find(name => !taken.has(name));
  if (first === undefined) return null;
  return (
    <button
      type="button"
      onClick={() => {
        addPanel(first);
        void run();
      }}
    >
      Compare with another method
    </button>
  );
}

/** The panel that the picker acts on. */
export const picked = activePanel;
