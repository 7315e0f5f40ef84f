/** @file Starts the page: styles, the shell, the backend. */
import { withoutEval } from './without-eval.ts';
import './style/base.css';
import './style/shell.css';
import './style/controls.css';
import './style/attribute.css';
import './style/views.css';
import { render } from 'preact';
import type { StudioBackend } from '../protocol.ts';
import { App } from './shell/app.tsx';
import { start } from './state/studio.ts';
import { followTheme } from './state/theme.ts';

/** Shows the page at once, then looks for the backend. */
export function launch(connect: () => Promise<StudioBackend>): void {
  document.documentElement.dataset.eval = withoutEval ? 'none' : 'tried';
  followTheme();
  render(<App />, document.getElementById('studio') as HTMLElement);
  void start(connect);
}
